import { expect, test } from "vitest";
import { TRADES_KEPT_MAX } from "@/lib/limits";
import { afterTick, type Tape, type Tick } from "./trades";

const tick = (sequence: number, price: string, volume: number): Tick => ({
  symbol: "AAPL",
  price,
  volume,
  timestamp: 1_800_000_000 + sequence,
  sequence,
});

const tapeOf = (...ticks: Tick[]) => ticks.reduce<Tape | undefined>(afterTick, undefined)?.trades ?? [];

test("a trade is what the source has counted since the price before", () => {
  const trades = tapeOf(tick(1, "150", 1_000), tick(2, "150.5", 1_300), tick(3, "150.25", 1_350));
  expect(trades.map(({ price, shares, direction }) => [price, shares, direction])).toEqual([
    ["150.25", 50, -1],
    ["150.5", 300, 1],
  ]);
});

test("no trade is made of a first price, of a price without shares, or of a new session", () => {
  expect(tapeOf(tick(1, "150", 1_000), tick(2, "151", 1_000), tick(3, "152", 10))).toEqual([]);
});

test("shares of prices that were missed are not added to a later one", () => {
  expect(tapeOf(tick(1, "150", 1_000), tick(5, "151", 2_000))).toEqual([]);
  const again = tapeOf(tick(1, "150", 1_000), { ...tick(2, "151", 1_500), snapshot: true });
  expect(again).toEqual([]);
});

test("the tape has an end", () => {
  const ticks = Array.from({ length: TRADES_KEPT_MAX + 10 }, (_, index) => tick(index, "150", index));
  expect(tapeOf(...ticks)).toHaveLength(TRADES_KEPT_MAX);
});
