import { expect, test } from "vitest";
import { Decimal, numberFault, parseDecimal, plainText, sum } from "./decimal";

test("sums of money are exact where binary numbers are not", () => {
  expect(0.1 + 0.2).not.toBe(0.3);
  expect(plainText(sum(["0.1", "0.2"]))).toBe("0.3");
  expect(plainText(new Decimal("123456789012345.67").times("1000000000"))).toBe("123456789012345670000000");
});

test("typed numbers are read with separators, and nothing else is a number", () => {
  expect(parseDecimal(" 12,345.60 ")?.toString()).toBe("12345.6");
  for (const text of ["", "1e5", "+1", ".5", "5.", "0x10", "１", "NaN", "Infinity", "1 2", "1.2.3"]) {
    expect(parseDecimal(text), text).toBeNull();
  }
});

test("a number that is too long is called that, and not something else", () => {
  expect(numberFault("9".repeat(24))).toBe("tooLarge");
  expect(numberFault("999,999,999,999,999")).toBeNull();
  expect(numberFault("000000000000000000001.50000000000")).toBeNull();
  expect(parseDecimal("000000000000000000001.5")?.toString()).toBe("1.5");
  expect(numberFault("0.1234567891")).toBe("tooPrecise");
  expect(["", "abc", "1e5", "1.", "--1"].map(numberFault)).toEqual(Array(5).fill("notANumber"));
});
