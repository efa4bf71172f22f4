import { expect, test } from "vitest";
import { leastOf } from "./settling";

const day = (settleDate: string, receivable: string, payable: string) => ({
  settleDate,
  receivable,
  payable,
});
const least = (settled: string, ...unsettledDays: ReturnType<typeof day>[]) => {
  const { day: after, amount } = leastOf({ settled, unsettledDays });
  return [after, amount.toString()];
};

test("what is promised for later days cannot be taken out before, and what is owed then must stay", () => {
  expect(least("100")).toEqual([null, "100"]);
  expect(least("100", day("2026-11-24", "50", "0"))).toEqual([null, "100"]);
  expect(least("100", day("2026-11-24", "0", "30"), day("2026-11-25", "50", "0"))).toEqual([
    "2026-11-24",
    "70",
  ]);
});

test("what comes in on a day pays what is owed on that day or later", () => {
  expect(least("100", day("2026-11-25", "0", "40"), day("2026-11-24", "40", "0"))).toEqual([null, "100"]);
  expect(least("100", day("2026-11-24", "10", "30"))).toEqual(["2026-11-24", "80"]);
});
