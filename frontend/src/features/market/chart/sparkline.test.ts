import { expect, test } from "vitest";
import { sparklinePath } from "./sparkline";

test("the line goes from the lowest to the highest, over the whole width", () => {
  expect(sparklinePath([1, 3, 2], 40, 20)).toBe("M0.0 20.0L20.0 0.0L40.0 10.0");
});

test("what never moves is drawn in the middle", () => {
  expect(sparklinePath([5, 5], 40, 20)).toBe("M0.0 10.0L40.0 10.0");
});

test("one number, or one that is none, makes no line", () => {
  for (const values of [[], [1], [1, Number.NaN]]) expect(sparklinePath(values, 40, 20)).toBe("");
});
