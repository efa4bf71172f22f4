// Measures the page: how busy it is while every symbol of a full watchlist moves, beside a bare page that does nothing else, and
// how soon it can be used on a slow machine. Not a test: figures depend on the machine, ratios less so. GAEMI_URL names a
// running server. With `--figures` they are printed as names and numbers.
import { newTrader } from "./api.mjs";
import { openBrowser, serverUrl, signIn } from "./browser.mjs";
import { barePage, fakeQuotes, makeUpQuotes, quotesHeard } from "./made-up-quotes.mjs";

const SYMBOLS = Number(process.env.GAEMI_MEASURE_SYMBOLS ?? 500);
const UPDATES_PER_SECOND = Number(process.env.GAEMI_MEASURE_UPDATES ?? 10);
const SECONDS = Number(process.env.GAEMI_MEASURE_SECONDS ?? 10);
const SLOW_DOWN = 4;
const SETTLE_MS = 3_000;
/** Reloads of which the middle one counts. */
const RELOADS = 5;
/** Rows that the desk shows of the watchlist, and how often it draws them, at most. */
const ROWS_SEEN = 10;
const SHOWN_INTERVAL_MS = 100;

const symbols = Array.from({ length: SYMBOLS }, (_, index) =>
  `T${index.toString(36).toUpperCase()}`.slice(0, 5),
);
const preferences = {
  state: { watchlists: [{ id: "first", name: "", symbols }], watchlistId: "first", symbol: "AAPL" },
  version: 2,
};

/** Runs in the page: counts frames and the longest gap between two of them. */
function countFrames(/** @type {number} */ milliseconds) {
  return new Promise((resolve) => {
    const started = performance.now();
    let frames = 0;
    let last = started;
    let longest = 0;
    const count = (/** @type {number} */ now) => {
      frames += 1;
      longest = Math.max(longest, now - last);
      last = now;
      if (now - started < milliseconds) requestAnimationFrame(count);
      else resolve({ frames, longest, milliseconds: now - started });
    };
    requestAnimationFrame(count);
  });
}

/** @type {Record<string, number>} */
const figures = {};

/** @param {import("playwright-core").Page} page */
async function meterOf(page) {
  const debug = await page.context().newCDPSession(page);
  await debug.send("Performance.enable");
  return async () => {
    const { metrics } = await debug.send("Performance.getMetrics");
    const of = (/** @type {string} */ name) => metrics.find((metric) => metric.name === name)?.value ?? 0;
    return {
      task: of("TaskDuration"),
      script: of("ScriptDuration"),
      style: of("RecalcStyleDuration"),
      layout: of("LayoutDuration"),
      heard: await quotesHeard(page),
    };
  };
}

/**
 * How busy a page is that is open, in percent of the main thread's time.
 * @param {import("playwright-core").Page} page
 * @param {string} name
 */
async function measureBusy(page, name) {
  await page.waitForTimeout(SETTLE_MS);
  const meter = await meterOf(page);
  const before = await meter();
  const frames = /** @type {{ frames: number, longest: number, milliseconds: number }} */ (
    await page.evaluate(countFrames, SECONDS * 1000)
  );
  const after = await meter();
  const seconds = frames.milliseconds / 1000;
  figures[`${name}_quotes_per_second`] = (after.heard - before.heard) / seconds;
  figures[`${name}_frames_per_second`] = frames.frames / seconds;
  figures[`${name}_longest_gap_millis`] = frames.longest;
  for (const part of /** @type {const} */ (["task", "script", "style", "layout"]))
    figures[`${name}_${part}_percent`] = (100 * (after[part] - before[part])) / seconds;
}

async function measureBarePage() {
  const { page, close } = await openBrowser({ bypassCSP: true });
  await page.addInitScript(fakeQuotes, { updatesPerSecond: UPDATES_PER_SECOND });
  const body = barePage({ symbols, rows: ROWS_SEEN, intervalMs: SHOWN_INTERVAL_MS });
  await page.route("**/bare-page", (route) => route.fulfill({ contentType: "text/html", body }));
  await page.goto(`${serverUrl()}/bare-page`);
  await measureBusy(page, "bare");
  await close();
}

/** @param {Awaited<ReturnType<typeof newTrader>>} trader */
async function measureDesk(trader) {
  const { page, close } = await openBrowser({ bypassCSP: true, serviceWorkers: "block" });
  await makeUpQuotes(page, { updatesPerSecond: UPDATES_PER_SECOND });
  await page.addInitScript(
    (kept) => localStorage.setItem("gaemi.preferences", kept),
    JSON.stringify(preferences),
  );
  await signIn(page, trader);
  await page.getByTestId("cash").waitFor();
  await measureBusy(page, "desk");
  await close();
}

/** @param {number[]} numbers */
const middleOf = (numbers) =>
  numbers.sort((left, right) => left - right)[Math.floor(numbers.length / 2)] ?? 0;

/** @param {Awaited<ReturnType<typeof newTrader>>} trader */
async function measureStart(trader) {
  const { page, close } = await openBrowser();
  await signIn(page, trader);
  await page.getByTestId("cash").waitFor();
  const debug = await page.context().newCDPSession(page);
  await debug.send("Emulation.setCPUThrottlingRate", { rate: SLOW_DOWN });
  const times = [];
  for (let reload = 0; reload < RELOADS; reload += 1) {
    const started = Date.now();
    await page.reload({ waitUntil: "commit" });
    await page.getByTestId("cash").waitFor();
    times.push(Date.now() - started);
  }
  figures.start_millis = middleOf(times);
  await close();
}

function printWords() {
  const of = (/** @type {string} */ name, digits = 1) => (figures[name] ?? 0).toFixed(digits);
  for (const [name, title] of [
    ["desk", "the desk"],
    ["bare", "a bare page"],
  ]) {
    process.stdout.write(
      `${title}: ${of(`${name}_quotes_per_second`, 0)} quotes a second of ${SYMBOLS} symbols, ` +
        `${of(`${name}_frames_per_second`)} frames a second, longest gap ${of(`${name}_longest_gap_millis`, 0)} ms, ` +
        `main thread busy ${of(`${name}_task_percent`)} % (script ${of(`${name}_script_percent`)} %, ` +
        `style ${of(`${name}_style_percent`)} %, layout ${of(`${name}_layout_percent`)} %)\n`,
    );
  }
  process.stdout.write(
    `the desk is usable ${of("start_millis", 0)} ms after a reload, ${SLOW_DOWN} times slowed down (of ${RELOADS} the middle one)\n`,
  );
}

const trader = await newTrader();
await trader.openAccount("Practice", "USD", "10000");
await measureBarePage();
await measureDesk(trader);
await measureStart(trader);
if (process.argv.includes("--figures"))
  for (const [name, value] of Object.entries(figures))
    process.stdout.write(`page_${name} ${value.toFixed(2)}\n`);
else printWords();
