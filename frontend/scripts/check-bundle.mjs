// Fails the build when the scripts of the first screen outgrow their budget.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const FIRST_LOAD_GZIP_KILOBYTES_MAX = 250;

const dist = new URL("../dist/", import.meta.url);
const html = readFileSync(new URL("index.html", dist), "utf8");
const scripts = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map((match) => match[1] ?? "");
if (scripts.length === 0) throw new Error("dist/index.html loads no script");

const bytes = scripts.reduce((sum, path) => sum + gzipSync(readFileSync(new URL(path, dist))).length, 0);
const kilobytes = bytes / 1000;
process.stdout.write(
  `first load: ${scripts.length} script(s), ${kilobytes.toFixed(1)} kB gzip of ${FIRST_LOAD_GZIP_KILOBYTES_MAX} kB allowed\n`,
);
if (kilobytes > FIRST_LOAD_GZIP_KILOBYTES_MAX) process.exit(1);
