import { expect, test } from "vitest";
import {
  directionOf,
  formatCash,
  formatDay,
  formatGain,
  formatMarketTime,
  formatMoney,
  formatPercent,
  formatPrice,
  formatQuantity,
} from "./format";

test("won have no decimals and dollars have two", () => {
  expect(formatMoney("1234567.4", "KRW")).toBe("₩1,234,567");
  expect(formatMoney("1234567.4", "USD")).toBe("$1,234,567.40");
  expect(formatCash("-0.5", "USD")).toBe("−0.50");
});

test("a gain always shows its sign, and nothing is neither", () => {
  expect(formatGain("12", "USD")).toBe("+12.00");
  expect(formatGain("-1234.567", "USD")).toBe("−1,234.57");
  expect(formatGain("0", "USD")).toBe("0.00");
  expect(formatGain("-0.004", "USD")).toBe("0.00");
  expect(formatPercent("-0.29")).toBe("−0.29%");
});

test("amounts beyond the digits of a binary number keep them all", () => {
  expect(formatCash("123456789012345678.91", "USD")).toBe("123,456,789,012,345,678.91");
});

test("prices keep what they have, up to four digits", () => {
  expect(formatPrice("150.5", "USD")).toBe("150.50");
  expect(formatPrice("0.1234", "USD")).toBe("0.1234");
  expect(formatPrice("71200", "KRW")).toBe("71,200");
  expect(formatQuantity("1000")).toBe("1,000");
});

test("a direction needs a number that is not zero", () => {
  expect([directionOf("0.01"), directionOf("-1"), directionOf("0.00"), directionOf(null)]).toEqual([
    "up",
    "down",
    "flat",
    "flat",
  ]);
});

test("a day is written as its language writes days", () => {
  expect(formatDay("2006-02-23", "ko")).toBe("2006년 2월 23일");
  expect(formatDay("2006-02-23", "en")).toBe("Feb 23, 2006");
});

test("a moment is told by the clock of its market, summer time included", () => {
  expect(formatMarketTime("2026-11-20T14:30:00Z", "USD", "en")).toBe("11/20, 09:30:00 EST");
  expect(formatMarketTime("2026-07-20T13:30:00Z", "USD", "en")).toBe("07/20, 09:30:00 EDT");
  expect(formatMarketTime("2026-11-20T00:00:00Z", "KRW", "en")).toBe("11/20, 09:00:00 GMT+9");
});
