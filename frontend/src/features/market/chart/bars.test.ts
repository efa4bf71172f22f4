import { expect, test } from "vitest";
import type { Bar } from "@/lib/api/types";
import type { LiveQuote } from "@/lib/quotes/quote";
import { drawnBars, liveBar, timeOfMoment, untold, weekOf, withLive } from "./bars";

const bar = (date: string, open: string, high: string, low: string, close: string): Bar => ({
  date,
  open,
  high,
  low,
  close,
  volume: 10,
});
// Friday, Monday, Tuesday.
const days = [
  bar("2006-02-24", "10", "12", "9", "11"),
  bar("2006-02-27", "11", "15", "11", "14"),
  bar("2006-02-28", "14", "14", "8", "9"),
];
const quote = (part: Partial<LiveQuote>) =>
  ({
    sessionDate: "2006-03-01",
    open: "9",
    high: "20",
    low: "9",
    price: "19",
    volume: 5,
    time: "2026-11-21T10:07:30Z",
    ...part,
  }) as LiveQuote;

test("a week begins on its Monday and takes its days together", () => {
  expect(["2006-02-26", "2006-02-27", "2006-03-05"].map(weekOf)).toEqual([
    "2006-02-20",
    "2006-02-27",
    "2006-02-27",
  ]);
  const weeks = drawnBars(days, "1w");
  expect(weeks).toHaveLength(2);
  expect(weeks[1]).toEqual({ time: "2006-02-27", open: 11, high: 15, low: 8, close: 9, volume: 20 });
});

test("the price of now ends the last day, or begins a new one, and never an old one", () => {
  const drawn = drawnBars(days, "1d");
  expect(liveBar(quote({}), drawn, days, "1d")).toMatchObject({ time: "2006-03-01", close: 19 });
  expect(liveBar(quote({ sessionDate: "2006-02-28" }), drawn, days, "1d")).toMatchObject({
    time: "2006-02-28",
  });
  expect(liveBar(quote({ sessionDate: "2006-02-20" }), drawn, days, "1d")).toBeNull();
});

test("the running day counts once in its week", () => {
  const drawn = drawnBars(days, "1w");
  const again = quote({ sessionDate: "2006-02-28", high: "14", low: "8" });
  expect(liveBar(again, drawn, days, "1w")).toMatchObject({
    open: 11,
    high: 15,
    low: 8,
    close: 19,
    volume: 15,
  });
});

test("shorter bars grow with the price until their time is over", () => {
  const startsAt = "2026-11-21T10:05:00Z";
  const drawn = drawnBars([{ ...bar("2026-11-21", "10", "11", "9", "10"), startsAt }], "5m");
  expect(liveBar(quote({ price: "12" }), drawn, [], "5m")).toMatchObject({
    open: 10,
    high: 12,
    low: 9,
    close: 12,
  });
  const later = liveBar(quote({ price: "12", time: "2026-11-21T10:10:00Z" }), drawn, [], "5m");
  expect(later).toMatchObject({ open: 12, high: 12, low: 12, close: 12, volume: 0 });
  expect(liveBar(quote({ time: "2026-11-21T10:01:00Z" }), drawn, [], "5m")).toBeNull();
});

test("hours are counted from the bar before, which may begin at half past", () => {
  const told = drawnBars(
    [{ ...bar("2026-11-20", "10", "11", "9", "10"), startsAt: "2026-11-20T14:30:00Z" }],
    "1h",
  );
  expect(liveBar(quote({ price: "12", time: "2026-11-20T15:10:00Z" }), told, [], "1h")).toMatchObject({
    time: told[0]?.time,
    close: 12,
  });
  const next = liveBar(quote({ price: "12", time: "2026-11-20T15:40:00Z" }), told, [], "1h");
  expect(next?.time).toBe(Date.UTC(2026, 10, 20, 15, 30) / 1000);
  expect(timeOfMoment("2026-11-20T15:20:00Z", told, "1h")).toBe(told[0]?.time);
});

test("what prices have made of a running bar is kept until the source tells that bar", () => {
  const told = drawnBars(
    [{ ...bar("2026-11-21", "10", "11", "9", "10"), startsAt: "2026-11-21T10:05:00Z" }],
    "5m",
  );
  let drawn: readonly ReturnType<typeof drawnBars>[number][] = told;
  for (const [price, time] of [
    ["12", "2026-11-21T10:10:01Z"],
    ["14", "2026-11-21T10:11:00Z"],
    ["11", "2026-11-21T10:12:00Z"],
    ["13", "2026-11-21T10:15:00Z"],
  ]) {
    const live = liveBar(quote({ price: price ?? "", time: time ?? "" }), drawn, [], "5m");
    if (live !== null) drawn = withLive(drawn, live);
  }
  expect(drawn).toHaveLength(3);
  expect(drawn[1]).toMatchObject({ open: 12, high: 14, low: 11, close: 11 });
  expect(untold(told, drawn)).toEqual(drawn.slice(1));
  const next = [...told, { ...drawn[0], time: (Number(drawn[0]?.time) + 300) as never } as (typeof drawn)[0]];
  expect(untold(next, drawn)).toEqual(drawn.slice(2));
  expect(untold([], drawnBars(days, "1d"))).toEqual([]);
});

test("a moment is drawn at its bar, where there is one", () => {
  expect(timeOfMoment("2006-02-27T15:00:00Z", drawnBars(days, "1d"), "1d")).toBe("2006-02-27");
  expect(timeOfMoment("2006-02-28T15:00:00Z", drawnBars(days, "1w"), "1w")).toBe("2006-02-27");
  expect(timeOfMoment("2026-11-21T15:00:00Z", drawnBars(days, "1d"), "1d")).toBeNull();
});

test("what is executed while the market rests belongs to the bar before", () => {
  const friday = drawnBars(
    [bar("2026-11-19", "1", "1", "1", "1"), bar("2026-11-20", "1", "1", "1", "1")],
    "1d",
  );
  expect(timeOfMoment("2026-11-22T08:00:00Z", friday, "1d")).toBe("2026-11-20");
  expect(timeOfMoment("2026-11-18T15:00:00Z", friday, "1d")).toBeNull();
});

test("an execution of a replay is drawn at the day that was played", () => {
  const drawn = drawnBars(days, "1d");
  expect(timeOfMoment("2026-11-21T15:00:00Z", drawn, "1d", "2006-02-27")).toBe("2006-02-27");
  expect(timeOfMoment("2026-11-21T15:00:00Z", drawnBars(days, "1w"), "1w", "2006-02-28")).toBe("2006-02-27");
});
