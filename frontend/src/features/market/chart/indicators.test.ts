import { expect, test } from "vitest";
import { bollinger, exponentialAverage, macd, relativeStrength, simpleAverage } from "./indicators";

const rounded = (points: (number | null)[], digits = 4) =>
  points.map((point) => (point === null ? null : Number(point.toFixed(digits))));

test("a mean needs as many values as it is long", () => {
  expect(simpleAverage([1, 2, 3, 4, 5], 3)).toEqual([null, null, 2, 3, 4]);
  expect(simpleAverage([1, 2], 3)).toEqual([null, null]);
});

test("the forgetting mean begins with the plain one", () => {
  expect(rounded(exponentialAverage([1, 2, 3, 4, 8], 3))).toEqual([null, null, 2, 3, 5.5]);
});

test("bands stand two deviations from the mean", () => {
  const { middle, upper, lower } = bollinger([2, 4, 4, 4, 5, 5, 7, 9], 8);
  expect([middle[7], upper[7], lower[7]]).toEqual([5, 9, 1]);
  expect(upper[6]).toBeNull();
});

test("the strength index follows Wilder's own smoothing", () => {
  // Computed by hand for length 2: rises 1, 1, 0; falls 0, 0, 2.
  expect(rounded(relativeStrength([10, 11, 12, 10], 2))).toEqual([null, null, 100, 33.3333]);
  expect(relativeStrength([5, 5, 5], 2).at(-1)).toBe(50);
});

test("the convergence of a straight line is constant and its histogram ends at nothing", () => {
  const straight = Array.from({ length: 60 }, (_, index) => 100 + index);
  const { line, signal, histogram } = macd(straight);
  expect(line[24]).toBeNull();
  expect(line[25]).toBeCloseTo(7, 6);
  expect(signal[32]).toBeNull();
  expect(signal[33]).toBeCloseTo(7, 6);
  expect(histogram.at(-1)).toBeCloseTo(0, 6);
});
