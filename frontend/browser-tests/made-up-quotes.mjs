// Quotes made up in a worker, in the place of the quote server: the page alone is measured, and as many come as are asked for.

const FEED_WORKER = /feed-worker/;

/**
 * Puts made-up quotes in the place of the server's, where the page's connection is: in its worker.
 * @param {import("playwright-core").Page} page
 * @param {{ updatesPerSecond: number }} pace
 */
export async function makeUpQuotes(page, pace) {
  await page.route(FEED_WORKER, async (route) => {
    const response = await route.fetch();
    const body = `(${fakeQuotes})(${JSON.stringify(pace)});\n${await response.text()}`;
    await route.fulfill({ contentType: "text/javascript", body });
  });
}

/**
 * How many quotes have come to the page's worker, or to a page that has none.
 * @param {import("playwright-core").Page} page
 * @returns {Promise<number>}
 */
export function quotesHeard(page) {
  const place = page.workers().find((worker) => FEED_WORKER.test(worker.url())) ?? page;
  // @ts-expect-error: counted by the fake socket.
  return place.evaluate(() => globalThis.messagesHeard ?? 0);
}

/** Runs before the scripts that open a connection: a socket whose other end is a worker. */
export function fakeQuotes(/** @type {{ updatesPerSecond: number }} */ { updatesPerSecond }) {
  const PARTS = 10;
  const source = `
    const prices = new Map();
    onmessage = ({ data }) => {
      const { action, symbols = [], channel = "quotes" } = JSON.parse(data);
      if (channel !== "quotes") return;
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
        globalThis.messagesHeard = (globalThis.messagesHeard ?? 0) + 1;
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
  globalThis.WebSocket = FakeSocket;
}

/**
 * A page with nothing on it but a list of prices, written by hand: what showing so many quotes costs at the least. It draws as
 * many rows as the desk shows, as often.
 * @param {{ symbols: string[], rows: number, intervalMs: number }} what
 */
export const barePage = ({ symbols, rows, intervalMs }) => `<!doctype html>
<title>Prices</title>
<style>
  body { font: 14px system-ui; margin: 0 }
  li { height: 48px; display: flex; justify-content: space-between; width: 272px; contain: strict; list-style: none }
</style>
<ul>${symbols
  .slice(0, rows)
  .map((symbol) => `<li><b>${symbol}</b><span data-symbol="${symbol}">–</span></li>`)
  .join("")}</ul>
<p data-testid="ready">ready</p>
<script>
  const cells = new Map([...document.querySelectorAll("[data-symbol]")].map((cell) => [cell.dataset.symbol, cell]));
  const newest = new Map();
  let planned = false;
  const socket = new WebSocket("/ws");
  socket.addEventListener("open", () => socket.send(JSON.stringify({ action: "subscribe", symbols: ${JSON.stringify(symbols)} })));
  socket.addEventListener("message", ({ data }) => {
    const symbol = data.slice(26, data.indexOf('"', 26));
    if (!cells.has(symbol)) return;
    newest.set(symbol, data);
    if (planned) return;
    planned = true;
    setTimeout(() => requestAnimationFrame(() => {
      planned = false;
      for (const [changed, text] of newest) cells.get(changed).textContent = JSON.parse(text).price.toFixed(2);
      newest.clear();
    }), ${intervalMs});
  });
</script>`;
