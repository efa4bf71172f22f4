import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const SOURCE = fileURLToPath(new URL(".", import.meta.url));
const FILES = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter((name) =>
  /\.tsx?$/.test(name),
);

/** The folder an import leads to: `lib`, `app`, or `features/<name>`. */
function roomOf(path: string): string {
  const [first = "", second = ""] = path.split("/");
  return first === "features" ? `features/${second}` : first;
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(SOURCE, file), "utf8");
  return [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].flatMap(([, target = ""]) => {
    if (target.startsWith("@/")) return [target.slice(2)];
    return target.startsWith(".") ? [relative(SOURCE, join(SOURCE, file, "..", target))] : [];
  });
}

test("features do not import each other, and shared code imports no feature", () => {
  const breaks = FILES.flatMap((file) => {
    const room = roomOf(file);
    const isTest = /\.test\.tsx?$/.test(file);
    const forbidden = (other: string) =>
      !(isTest && other === "testing") &&
      ((room.startsWith("features/") && other !== room && other !== "lib") ||
        (room === "lib" && other !== "lib"));
    return importsOf(file)
      .filter((target) => forbidden(roomOf(target)))
      .map((target) => `${file} imports ${target}`);
  });
  expect(FILES.length).toBeGreaterThan(40);
  expect(breaks).toEqual([]);
});
