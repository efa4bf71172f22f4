import { expect, test } from "vitest";
import type { Position } from "@/lib/api/types";
import { dayChange } from "./day-change";

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
