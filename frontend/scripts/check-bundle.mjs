// Fails the build when the scripts of the first screen outgrow their budget.
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const FIRST_LOAD_GZIP_KILOBYTES_MAX = 250;

const dist = new URL("../dist/", import.meta.url);
const html = readFileSync(new URL("index.html", dist), "utf8");
const scripts = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map((match) => match[1] ?? "");
if (scripts.length === 0) throw new Error("dist/index.html loads no script");

const gzippedBytes = (/** @type {string} */ path) => gzipSync(readFileSync(new URL(path, dist))).length;
// One language is fetched as well: the larger one is counted.
const texts = readdirSync(new URL("assets", dist)).filter((name) => /^texts-\w\w-.*\.js$/.test(name));
if (texts.length !== 2) throw new Error(`dist/assets has the texts of ${texts.length} languages`);
const textBytes = Math.max(...texts.map((name) => gzippedBytes(`assets/${name}`)));

const bytes = scripts.reduce((sum, path) => sum + gzippedBytes(path), textBytes);
const kilobytes = bytes / 1000;
process.stdout.write(
  `first load: ${scripts.length + 1} script(s), ${kilobytes.toFixed(1)} kB gzip of ${FIRST_LOAD_GZIP_KILOBYTES_MAX} kB allowed\n`,
);
if (kilobytes > FIRST_LOAD_GZIP_KILOBYTES_MAX) process.exit(1);
