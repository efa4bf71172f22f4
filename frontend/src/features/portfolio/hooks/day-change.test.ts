import { expect, test } from "vitest";
import type { Position } from "@/lib/api/types";
import { dayChange, dayTerms } from "./day-change";

const positions = [
  { symbol: "AAPL", quantity: "10" },
  { symbol: "IBM", quantity: "5" },
  { symbol: "GE", quantity: "0" },
] as Position[];

test("every share held counts with its change since the close before", () => {
  const changes: Record<string, string> = { AAPL: "1.50", IBM: "-2" };
  expect(dayChange(positions, (symbol) => changes[symbol])?.toString()).toBe("5");
});

test("a change that is not known makes the sum unknown", () => {
  expect(dayChange(positions, (symbol) => (symbol === "AAPL" ? "1" : null))).toBeNull();
  expect(dayChange([], () => null)?.toString()).toBe("0");
});

test("each share's part is told, and shares that are not held have none", () => {
  const terms = dayTerms(positions, (symbol) => (symbol === "AAPL" ? "1.50" : null));
  expect(terms.map(({ symbol, change, amount }) => [symbol, change, amount?.toString()])).toEqual([
    ["AAPL", "1.50", "15"],
    ["IBM", null, undefined],
  ]);
});
