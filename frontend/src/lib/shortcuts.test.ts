import { expect, test } from "vitest";
import { keyOf } from "./shortcuts";

test("a key means the same where Korean letters are typed", () => {
  expect(keyOf({ key: "b", code: "KeyB" })).toBe("b");
  expect(keyOf({ key: "B", code: "KeyB" })).toBe("b");
  expect(keyOf({ key: "ㅠ", code: "KeyB" })).toBe("b");
  expect(keyOf({ key: "Process", code: "KeyS" })).toBe("s");
});

test("what is typed decides where the letters are Latin, wherever their keys are", () => {
  expect(keyOf({ key: "s", code: "Semicolon" })).toBe("s");
  expect(keyOf({ key: "/", code: "Digit7" })).toBe("/");
  expect(keyOf({ key: "1", code: "Digit1" })).toBe("1");
  expect(keyOf({ key: "ㅓ", code: "Quote" })).toBe("ㅓ");
});
