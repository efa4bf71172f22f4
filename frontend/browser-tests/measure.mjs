// Measures the page: how busy it is while every symbol of a full watchlist moves, and how soon it can be used on a slow
// machine. Not a test: figures depend on the machine. GAEMI_URL names a running server; quotes are made up in a worker, so
// that the page alone is measured.
import { newTrader } from "./api.mjs";
import { openBrowser, signIn } from "./browser.mjs";

const SYMBOLS = Number(process.env.GAEMI_MEASURE_SYMBOLS ?? 500);
const UPDATES_PER_SECOND = Number(process.env.GAEMI_MEASURE_UPDATES ?? 10);
const SECONDS = Number(process.env.GAEMI_MEASURE_SECONDS ?? 10);
const SLOW_DOWN = 4;
const SETTLE_MS = 3_000;

const symbols = Array.from({ length: SYMBOLS }, (_, index) =>
  `T${index.toString(36).toUpperCase()}`.slice(0, 5),
);
const preferences = {
  state: { watchlists: [{ id: "first", name: "", symbols }], watchlistId: "first", symbol: "AAPL" },
  version: 2,
};

/** Runs in the page before its scripts: quotes come from a worker, as many as are asked for. */
function fakeQuotes(/** @type {{ updatesPerSecond: number }} */ { updatesPerSecond }) {
  const PARTS = 10;
  const source = `
    const prices = new Map();
    onmessage = ({ data }) => {
      const { action, symbols = [] } = JSON.parse(data);
      for (const symbol of symbols) action === "subscribe" ? prices.set(symbol, 10000) : prices.delete(symbol);
    };
    postMessage(JSON.stringify({ type: "status", subscribed: [], providers: ["measure"] }));
    let turn = 0;
    setInterval(() => {
      turn += 1;
      let index = 0;
      for (const [symbol, price] of prices) {
        index += 1;
        if (index % ${PARTS} !== turn % ${PARTS}) continue;
        const next = price + Math.round(Math.random() * 20 - 10);
        prices.set(symbol, next);
        const digits = (next / 100).toFixed(2);
        postMessage('{"type":"quote","symbol":"' + symbol + '","price":' + digits + ',"change":1.5,"changePercent":1.01,"volume":1000000,"timestamp":' + Date.now() + ',"time":"' + new Date().toISOString() + '","bid":' + digits + ',"ask":' + digits + ',"open":100,"high":120,"low":80,"previousClose":99,"currency":"USD","sessionDate":"2026-11-20","source":"measure","simulated":true,"delayed":false}');
      }
    }, ${1000 / updatesPerSecond / PARTS});`;
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  class FakeSocket extends EventTarget {
    static OPEN = 1;
    readyState = 0;
    #worker = new Worker(address);
    constructor() {
      super();
      setTimeout(() => {
        this.readyState = 1;
        this.dispatchEvent(new Event("open"));
      });
      this.#worker.onmessage = ({ data }) => {
        // @ts-expect-error: counted for the figures.
        window.messagesHeard = (window.messagesHeard ?? 0) + 1;
        this.dispatchEvent(new MessageEvent("message", { data }));
      };
    }
    send(/** @type {string} */ text) {
      this.#worker.postMessage(text);
    }
    close() {
      this.#worker.terminate();
    }
  }
  // @ts-expect-error: as much of a socket as the page uses.
  window.WebSocket = FakeSocket;
}

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

const print = (/** @type {string} */ line) => process.stdout.write(`${line}\n`);

/** @param {Awaited<ReturnType<typeof newTrader>>} trader */
async function measureQuotes(trader) {
  const { page, close } = await openBrowser({ bypassCSP: true });
  await page.addInitScript(fakeQuotes, { updatesPerSecond: UPDATES_PER_SECOND });
  await page.addInitScript(
    (kept) => localStorage.setItem("gaemi.preferences", kept),
    JSON.stringify(preferences),
  );
  await signIn(page, trader);
  await page.getByTestId("cash").waitFor();
  await page.waitForTimeout(SETTLE_MS);
  const debug = await page.context().newCDPSession(page);
  await debug.send("Performance.enable");
  const busy = async () => {
    const { metrics } = await debug.send("Performance.getMetrics");
    const of = (/** @type {string} */ name) => metrics.find((metric) => metric.name === name)?.value ?? 0;
    return {
      task: of("TaskDuration"),
      script: of("ScriptDuration"),
      style: of("RecalcStyleDuration"),
      layout: of("LayoutDuration"),
    };
  };
  // @ts-expect-error: counted by the fake socket.
  const heard = () => page.evaluate(() => window.messagesHeard ?? 0);
  const [before, heardBefore] = [await busy(), await heard()];
  const frames = /** @type {{ frames: number, longest: number, milliseconds: number }} */ (
    await page.evaluate(countFrames, SECONDS * 1000)
  );
  const [after, heardAfter] = [await busy(), await heard()];
  const seconds = frames.milliseconds / 1000;
  const share = (/** @type {number} */ spent) => `${((100 * spent) / seconds).toFixed(1)} %`;
  print(
    `quotes heard         ${((heardAfter - heardBefore) / seconds).toFixed(0)} a second of ${SYMBOLS} symbols`,
  );
  print(
    `frames               ${(frames.frames / seconds).toFixed(1)} a second, longest gap ${frames.longest.toFixed(0)} ms`,
  );
  const parts = /** @type {const} */ (["script", "style", "layout"]);
  const shares = parts.map((part) => `${part} ${share(after[part] - before[part])}`);
  print(`main thread busy     ${share(after.task - before.task)} (${shares.join(", ")})`);
  await close();
}

/** @param {Awaited<ReturnType<typeof newTrader>>} trader */
async function measureStart(trader) {
  const { page, close } = await openBrowser();
  await signIn(page, trader);
  await page.getByTestId("cash").waitFor();
  const debug = await page.context().newCDPSession(page);
  await debug.send("Emulation.setCPUThrottlingRate", { rate: SLOW_DOWN });
  for (const what of ["first", "second"]) {
    const started = Date.now();
    await page.reload({ waitUntil: "commit" });
    await page.getByTestId("cash").waitFor();
    print(
      `desk usable          ${Date.now() - started} ms after a reload, ${SLOW_DOWN} times slowed down (${what})`,
    );
  }
  await close();
}

const trader = await newTrader();
await trader.openAccount("Practice", "USD", "10000");
await measureQuotes(trader);
await measureStart(trader);
