import { expect, test } from "vitest";
import { Decimal, parseDecimal, plainText, sum } from "./decimal";

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
