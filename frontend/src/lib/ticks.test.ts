import { expect, test } from "vitest";
import type { Currency } from "@/lib/api/types";
import { Decimal, plainText } from "./decimal";
import { roundToTick, stepPrice, tickSize } from "./ticks";

const step = (price: string, currency: Currency, direction: 1 | -1) =>
  plainText(stepPrice(new Decimal(price), currency, direction));

test("Korean prices move in the steps of their band", () => {
  const ticks = ["1999", "2000", "5000", "20000", "50000", "200000", "500000"].map((price) =>
    plainText(tickSize(new Decimal(price), "KRW")),
  );
  expect(ticks).toEqual(["1", "5", "10", "50", "100", "500", "1000"]);
});

test("a step over the foot of a band uses the step of the band it goes to", () => {
  expect(step("49950", "KRW", 1)).toBe("50000");
  expect(step("50000", "KRW", -1)).toBe("49950");
  expect(step("500000", "KRW", -1)).toBe("499500");
  expect(step("1.00", "USD", -1)).toBe("0.9999");
});

test("a price between two steps moves to the next one on that side", () => {
  expect(step("71250", "KRW", 1)).toBe("71300");
  expect(step("71250", "KRW", -1)).toBe("71200");
  expect(step("150.255", "USD", 1)).toBe("150.26");
});

test("a price never becomes zero or less", () => {
  expect(step("1", "KRW", -1)).toBe("1");
  expect(step("0.0001", "USD", -1)).toBe("0.0001");
});

test("rounding goes to the nearest valid price", () => {
  expect(plainText(roundToTick(new Decimal("71249"), "KRW"))).toBe("71200");
  expect(plainText(roundToTick(new Decimal("150.128"), "USD"))).toBe("150.13");
});
