import { expect, test } from "vitest";
import type { Position } from "@/lib/api/types";
import { sum } from "@/lib/decimal";
import { ALLOCATION_PARTS_MAX } from "@/lib/limits";
import { allocationOf, byMarket, owedOf } from "./allocation";

const position = (symbol: string, quantity: string, marketPrice: string | null) =>
  ({ symbol, quantity, marketPrice, cost: "0" }) as Position;
const noLive = () => undefined;

test("cash and shares are parts of one whole, the largest first", () => {
  const parts = allocationOf("250", [position("AAPL", "5", "50"), position("IBM", "10", "50")], noLive);
  expect(parts?.map(({ name, percent }) => [name, percent.toString()])).toEqual([
    ["IBM", "50"],
    ["AAPL", "25"],
    [null, "25"],
  ]);
});

test("live prices count before the server's, and what was sold does not", () => {
  const parts = allocationOf("0", [position("AAPL", "1", "50"), position("GE", "0", "9")], () => "75");
  expect(parts).toHaveLength(1);
  expect(parts?.[0]?.value.toString()).toBe("75");
});

test("shares of one market are one part", () => {
  const held = [
    position("005930.KS", "1", "30"),
    position("000660.KS", "1", "20"),
    position("035720.KQ", "1", "25"),
  ];
  const parts = allocationOf("25", held, noLive, byMarket);
  expect(parts?.map(({ name, percent }) => [name, percent.toString()])).toEqual([
    ["KOSPI", "50"],
    ["KOSDAQ", "25"],
    [null, "25"],
  ]);
  expect(byMarket("BRK-B")).toBe("US");
});

test("shares sold short and borrowed money are owed, and no parts", () => {
  const positions = [position("AAPL", "2", "50"), position("IBM", "-4", "25")];
  const parts = allocationOf("300", positions, noLive);
  expect(parts?.map(({ name, percent }) => [name, percent.toString()])).toEqual([
    [null, "75"],
    ["AAPL", "25"],
  ]);
  expect(owedOf("300", positions, noLive)?.toString()).toBe("100");
  expect(owedOf("-40", positions, () => "30")?.toString()).toBe("160");
  expect(owedOf("300", [position("AAPL", "2", "50")], noLive)?.toString()).toBe("0");
  expect(owedOf("300", [position("IBM", "-4", null)], noLive)).toBeNull();
});

test("without a price for everything nothing is divided", () => {
  expect(allocationOf("100", [position("AAPL", "1", null)], noLive)).toBeNull();
  expect(allocationOf("0", [], noLive)).toBeNull();
});

test("many small parts are drawn together and are still the whole", () => {
  const many = Array.from({ length: 40 }, (_, index) => position(`S${index}`, String(index + 1), "1"));
  const parts = allocationOf("0", many, noLive) ?? [];
  expect(parts).toHaveLength(ALLOCATION_PARTS_MAX);
  expect(parts.at(-1)?.kind).toBe("others");
  expect(sum(parts.map(({ percent }) => percent)).toFixed(6)).toBe("100.000000");
});
