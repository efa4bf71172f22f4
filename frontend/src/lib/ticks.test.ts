import { expect, test } from "vitest";
import { Decimal, plainText } from "./decimal";
import { type PriceGrid, roundToTick, stepPrice, tickSize } from "./ticks";

const KOREAN: PriceGrid = [
  { from: "0", step: "1" },
  { from: "2000", step: "5" },
  { from: "5000", step: "10" },
  { from: "20000", step: "50" },
  { from: "50000", step: "100" },
  { from: "200000", step: "500" },
  { from: "500000", step: "1000" },
];
const FUND: PriceGrid = [
  { from: "0", step: "1" },
  { from: "2000", step: "5" },
];
const AMERICAN: PriceGrid = [
  { from: "0", step: "0.0001" },
  { from: "1", step: "0.01" },
];

const step = (price: string, grid: PriceGrid, direction: 1 | -1) =>
  plainText(stepPrice(new Decimal(price), grid, direction));

test("prices move in the steps of their band", () => {
  const ticks = ["1999", "2000", "5000", "20000", "50000", "200000", "500000"].map((price) =>
    plainText(tickSize(new Decimal(price), KOREAN)),
  );
  expect(ticks).toEqual(["1", "5", "10", "50", "100", "500", "1000"]);
});

test("a fund moves in its own steps, where a share of that price would leap", () => {
  expect([step("40000", FUND, 1), step("40000", KOREAN, 1)]).toEqual(["40005", "40050"]);
  expect([step("2000", FUND, -1), step("1999", FUND, 1)]).toEqual(["1999", "2000"]);
  expect(plainText(roundToTick(new Decimal("40003"), FUND))).toBe("40005");
});

test("a step over the foot of a band uses the step of the band it goes to", () => {
  expect(step("49950", KOREAN, 1)).toBe("50000");
  expect(step("50000", KOREAN, -1)).toBe("49950");
  expect(step("500000", KOREAN, -1)).toBe("499500");
  expect(step("1.00", AMERICAN, -1)).toBe("0.9999");
});

test("a price between two steps moves to the next one on that side", () => {
  expect(step("71250", KOREAN, 1)).toBe("71300");
  expect(step("71250", KOREAN, -1)).toBe("71200");
  expect(step("150.255", AMERICAN, 1)).toBe("150.26");
});

test("a price never becomes zero or less", () => {
  expect(step("1", KOREAN, -1)).toBe("1");
  expect(step("0.0001", AMERICAN, -1)).toBe("0.0001");
});

test("rounding goes to the nearest valid price", () => {
  expect(plainText(roundToTick(new Decimal("71249"), KOREAN))).toBe("71200");
  expect(plainText(roundToTick(new Decimal("150.128"), AMERICAN))).toBe("150.13");
});
