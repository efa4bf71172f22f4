import { expect, test } from "vitest";
import type { Position } from "@/lib/api/types";
import { byCurrency } from "./by-currency";

const position = (symbol: string, currency: "USD" | "KRW") => ({ symbol, currency }) as Position;

test("positions stand with those of their currency, in the order in which they came", () => {
  const mixed = [position("005930.KS", "KRW"), position("AAPL", "USD"), position("IBM", "USD")];
  const told = byCurrency(mixed).map(([currency, group]) => [currency, group.map(({ symbol }) => symbol)]);
  expect(told).toEqual([
    ["KRW", ["005930.KS"]],
    ["USD", ["AAPL", "IBM"]],
  ]);
  expect(byCurrency([])).toEqual([]);
});
