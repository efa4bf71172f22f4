/** The server's source, as far as tests read it: which words it uses at which places. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

export interface Source {
  name: string;
  text: string;
}

/** The Rust files of a folder without their tests. */
export function sourcesOf(folder: string): Source[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".rs") && !/tests\.rs$|\bsimulation\b/.test(path))
    .map((path) => ({ name: basename(path), text: shown(readFileSync(join(ROOT, folder, path), "utf8")) }));
}

const shown = (text: string) => text.split(/#\[cfg\(test\)\]\s*mod \w+ \{/)[0] ?? "";

/** What stands between the brackets of a call that ends before `start`, one argument each. */
function argumentsAt(text: string, start: number): string[] {
  const found = [""];
  let depth = 0;
  let quoted = false;
  for (let at = start; at < text.length; at += 1) {
    const letter = text[at] ?? "";
    if (letter === '"' && text[at - 1] !== "\\") quoted = !quoted;
    if (!quoted && ")]}".includes(letter)) {
      if (depth === 0) break;
      depth -= 1;
    }
    if (!quoted && "([{".includes(letter)) depth += 1;
    if (!quoted && depth === 0 && letter === ",") found.push("");
    else found.push((found.pop() ?? "") + letter);
  }
  return found.map((argument) => argument.trim());
}

export interface Words {
  words: Set<string>;
  /** Places at which a word stands in a variable of which nobody has said what it may be, each as `file: variable`. */
  unread: string[];
}

/**
 * The words that calls are given: in themselves, by a constant, or by a variable. What a variable may be stands in its file
 * as `variables` say by `file: variable`; where that is null, it only hands on what is found elsewhere.
 */
export function wordsOf(
  sources: readonly Source[],
  calls: Readonly<Record<string, number>>,
  variables: Readonly<Record<string, RegExp | null>>,
): Words {
  const constants = new Map(
    sources.flatMap(({ text }) =>
      [...text.matchAll(/const (\w+): &str = "(\w+)"/g)].map(
        ([, name = "", word = ""]) => [name, word] as const,
      ),
    ),
  );
  const found: Words = { words: new Set(), unread: [] };
  for (const { name, text } of sources) {
    for (const [call, place] of Object.entries(calls)) {
      for (const match of text.matchAll(new RegExp(`(?<!fn |New)\\b${call}\\(`, "g"))) {
        const given = argumentsAt(text, match.index + match[0].length)[place] ?? "";
        const word = /^"(\w*)"$/.exec(given)?.[1] ?? constants.get(given);
        const variable = `${name}: ${given}`;
        if (word !== undefined) found.words.add(word);
        else if (!(variable in variables)) found.unread.push(variable);
        else for (const [, told = ""] of text.matchAll(variables[variable] ?? /(?!)/g)) found.words.add(told);
      }
    }
  }
  return found;
}
