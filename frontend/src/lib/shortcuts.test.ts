// @vitest-environment jsdom
import { expect, test } from "vitest";
import { isShortcut, keyOf } from "./shortcuts";

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

test("fields that are chosen and not written in leave the keys to the page", () => {
  const pressedIn = (html: string) => {
    document.body.innerHTML = html;
    const target = document.body.firstElementChild;
    return isShortcut({ ctrlKey: false, metaKey: false, altKey: false, defaultPrevented: false, target });
  };
  expect(['<input type="radio">', '<input type="checkbox">', "<button></button>"].map(pressedIn)).toEqual([
    true,
    true,
    true,
  ]);
  expect(["<input>", "<textarea></textarea>", "<select></select>"].map(pressedIn)).toEqual([
    false,
    false,
    false,
  ]);
});
