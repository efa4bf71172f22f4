import { expect, test } from "vitest";
import { type MarketHours, marketStateAt, spanParts } from "./countdown";

const hours = (phase: string) =>
  ({ phase, nextOpen: "2026-11-23T14:30:00Z", nextClose: "2026-11-23T21:00:00Z" }) as MarketHours;
const at = Date.parse("2026-11-23T14:00:00Z");

test("a closed market counts down to its opening, an open one to its close", () => {
  expect(marketStateAt(hours("closed"), at)).toEqual({ phase: "closed", secondsLeft: 1800 });
  expect(marketStateAt(hours("pre"), at)).toEqual({ phase: "pre", secondsLeft: 1800 });
  expect(marketStateAt(hours("open"), at)?.secondsLeft).toBe(7 * 3600);
});

test("a countdown never goes below zero, and an unknown phase is not shown", () => {
  expect(marketStateAt(hours("closed"), at + 3_600_000)?.secondsLeft).toBe(0);
  expect(marketStateAt(hours("lunch"), at)).toBeNull();
});

test("a span is told in its two largest parts", () => {
  expect(spanParts(2 * 86_400 + 3 * 3_600 + 59)).toEqual([
    [2, "d"],
    [3, "h"],
  ]);
  expect(spanParts(3_661)).toEqual([
    [1, "h"],
    [1, "m"],
  ]);
  expect(spanParts(61)).toEqual([
    [1, "m"],
    [1, "s"],
  ]);
  expect(spanParts(9)).toEqual([[9, "s"]]);
});
