import { expect, test } from "vitest";
import { en } from "./en";
import { ko } from "./ko";

function flatten(tree: object, path = ""): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === "string" ? [[path + key, value] as [string, string]] : flatten(value, `${path}${key}.`),
  );
}

const placeholders = (text: string) => (text.match(/\{\{\w+\}\}/g) ?? []).sort();

test("both languages say everything, with the same values in it", () => {
  const korean = new Map(flatten(ko));
  const english = flatten(en);
  expect(korean.size).toBe(english.length);
  for (const [key, text] of english) {
    expect(korean.get(key), key).toBeTruthy();
    expect(placeholders(korean.get(key) ?? ""), key).toEqual(placeholders(text));
  }
});
