import { expect, test } from "vitest";
import type { Bar, Performance } from "@/lib/api/types";
import { Decimal } from "@/lib/decimal";
import { benchmarkCurve, returnCurve, sessionResult, worthCurve } from "./performance";

type Point = Performance["points"][number];

const point = (minute: number, growth: string, sessionDate: string | null, totalValue = "100") =>
  ({
    at: new Date(1_800_000_000_000 + minute * 60_000).toISOString(),
    growth,
    sessionDate,
    totalValue,
  }) as Point;
const bar = (date: string, close: string) => ({ date, close }) as Bar;

test("the return begins at nothing and is that of the growth", () => {
  const values = returnCurve([point(0, "2", null), point(1, "2.2", null), point(2, "1", null)]);
  expect(values.map(({ value }) => Math.round(value))).toEqual([0, 10, -50]);
});

test("what was lost altogether has no return after it", () => {
  expect(returnCurve([point(0, "0", null), point(1, "0", null)])).toEqual([]);
  expect(returnCurve([])).toEqual([]);
});

test("of two points of one second the later one is drawn", () => {
  const points = [point(0, "1", null, "100"), point(0, "1", null, "101"), point(1, "1", null, "102")];
  expect(worthCurve(points).map(({ value }) => value)).toEqual([101, 102]);
});

test("the benchmark is told by its closes, from the first trading day that is known", () => {
  const bars = [bar("2013-03-01", "50"), bar("2013-03-04", "55"), bar("2013-03-06", "60")];
  const curve = benchmarkCurve(
    [
      point(0, "1", null),
      point(1, "1", "2013-03-01"),
      point(2, "1", "2013-03-05"),
      point(3, "1", "2013-03-06"),
    ],
    bars,
  );
  expect(curve.map(({ value }) => Math.round(value))).toEqual([0, 10, 20]);
  expect(benchmarkCurve([point(0, "1", "2010-01-04")], bars)).toEqual([]);
});

test("a session's result leaves out what was brought in", () => {
  const before = { totalValue: "1000", netDeposits: "900" };
  const result = sessionResult(before, new Decimal("1610"), "1400");
  expect(result.pnl.toString()).toBe("110");
  expect(result.percent?.toFixed(2)).toBe("7.33");
  const takenOut = sessionResult(before, new Decimal("0"), "-200");
  expect([takenOut.pnl.toString(), takenOut.percent?.toString()]).toEqual(["100", "10"]);
  expect(sessionResult({ totalValue: "0", netDeposits: "0" }, new Decimal(0), "0").percent).toBeNull();
});
