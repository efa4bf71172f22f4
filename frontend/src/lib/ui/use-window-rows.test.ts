import { expect, test } from "vitest";
import { windowOf } from "./use-window-rows";

test("only the rows around what is seen are rendered, and the rest keeps its height", () => {
  const seen = windowOf(10_000, 40, 4_000, 400);
  expect(seen).toEqual({ first: 96, end: 114, before: 96 * 40, after: (10_000 - 114) * 40 });
});

test("the ends of a list have no rows beyond them", () => {
  expect(windowOf(5, 40, 0, 400)).toEqual({ first: 0, end: 5, before: 0, after: 0 });
  expect(windowOf(0, 40, 0, 400)).toEqual({ first: 0, end: 0, before: 0, after: 0 });
  // Scrolled further down than a list that has become shorter.
  expect(windowOf(3, 40, 4_000, 400)).toEqual({ first: 3, end: 3, before: 120, after: 0 });
});
