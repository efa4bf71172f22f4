import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Plugin } from "vite";

/** The service worker's source, in which the names of the built files are filled in. */
const SOURCE = new URL("./src/service-worker.js", import.meta.url);

/** Writes `sw.js`, which keeps the files of this build, so that the page opens without its server and says so. */
export function shellCache(): Plugin {
  return {
    name: "gaemi-shell-cache",
    apply: "build",
    generateBundle(_options, bundle) {
      const files = [
        "/",
        "/favicon.svg",
        ...Object.keys(bundle)
          .filter(isKept)
          .map((name) => `/${name}`),
      ].sort();
      const version = createHash("sha256").update(files.join("\n")).digest("hex").slice(0, 16);
      const source = readFileSync(SOURCE, "utf8")
        .replace('"__VERSION__"', JSON.stringify(version))
        .replace('["__FILES__"]', JSON.stringify(files));
      this.emitFile({ type: "asset", fileName: "sw.js", source });
    },
  };
}

/** Scripts and styles; the page itself is kept under its address. */
function isKept(name: string): boolean {
  return name.startsWith("assets/");
}
