import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { QUOTES_SILENCE_MS_MAX, RECONNECT_WAIT_MS_MAX, SHOWN_INTERVAL_MS } from "@/lib/limits";
import { Feed, feedAddress, type News, type Want } from "./feed";

/** The page's end of a connection, whose other end is the test. */
class Socket extends EventTarget {
  static readonly OPEN = 1;
  static made: Socket[] = [];
  readyState = 0;
  sent: unknown[] = [];
  constructor(readonly url: string) {
    super();
    Socket.made.push(this);
  }
  send(text: string) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.readyState = 3;
  }
  opens() {
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
  }
  says(text: string) {
    this.dispatchEvent(new MessageEvent("message", { data: text }));
  }
}

let told: News[];
let feed: Feed;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", Socket);
  Socket.made = [];
  told = [];
  feed = new Feed("ws://gaemi.example/ws", (news) => told.push(news));
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const want = (how: Want["how"], symbol: string, on = true): Want => ({ how, on, channel: "quotes", symbol });
const quote = (symbol: string, price: number) => `{"type":"quote","symbol":"${symbol}","price":${price}}`;
const newest = () => {
  const socket = Socket.made.at(-1);
  if (socket === undefined) throw new Error("nothing was connected");
  return socket;
};
const latest = () =>
  told.flatMap((news) => news.latest.map(([, symbol, text]) => `${symbol} ${text.slice(-2, -1)}`));

test("only what is seen is told, its newest message, no more often than somebody can see", () => {
  feed.take([want("keep", "AAPL"), want("keep", "MSFT"), want("see", "AAPL")]);
  newest().opens();
  expect(newest().sent).toEqual([{ action: "subscribe", symbols: ["AAPL", "MSFT"] }]);
  for (let price = 1; price <= 5; price += 1) {
    newest().says(quote("AAPL", price));
    newest().says(quote("MSFT", price));
  }
  vi.advanceTimersByTime(0);
  expect(latest()).toEqual(["AAPL 5"]);
  newest().says(quote("AAPL", 6));
  vi.advanceTimersByTime(SHOWN_INTERVAL_MS - 1);
  expect(latest()).toEqual(["AAPL 5"]);
  vi.advanceTimersByTime(1);
  expect(latest()).toEqual(["AAPL 5", "AAPL 6"]);
});

test("what was kept is told when somebody looks, and forgotten when nobody wants it", () => {
  feed.take([want("keep", "MSFT")]);
  newest().opens();
  newest().says(quote("MSFT", 7));
  feed.take([want("see", "MSFT")]);
  vi.advanceTimersByTime(SHOWN_INTERVAL_MS);
  expect(latest()).toEqual(["MSFT 7"]);
  feed.take([want("see", "MSFT", false), want("keep", "MSFT", false)]);
  expect(newest().sent.at(-1)).toEqual({ action: "unsubscribe", symbols: ["MSFT"] });
  feed.take([want("see", "MSFT")]);
  vi.advanceTimersByTime(SHOWN_INTERVAL_MS);
  expect(latest()).toEqual(["MSFT 7"]);
});

test("a broken connection is told, and the next one asks for everything again", () => {
  feed.take([want("see", "AAPL"), { ...want("see", "AAPL"), channel: "ticks" }]);
  newest().opens();
  newest().says('{"type":"status"}');
  newest().dispatchEvent(new Event("close"));
  expect(told.map(({ status }) => status)).toEqual(["open", "reconnecting"]);
  vi.advanceTimersByTime(RECONNECT_WAIT_MS_MAX);
  expect(Socket.made).toHaveLength(2);
  newest().opens();
  expect(newest().sent).toEqual([
    { action: "subscribe", symbols: ["AAPL"] },
    { action: "subscribe", symbols: ["AAPL"], channel: "ticks" },
  ]);
});

test("an open connection proves nothing, and a silent one is given up", () => {
  feed.take([want("see", "AAPL")]);
  newest().opens();
  expect(told).toEqual([]);
  vi.advanceTimersByTime(QUOTES_SILENCE_MS_MAX);
  expect(newest().sent.at(-1)).toEqual({ action: "ping" });
  vi.advanceTimersByTime(QUOTES_SILENCE_MS_MAX);
  expect(told.at(-1)?.status).toBe("reconnecting");
});

test("every trade of a share that is seen is told, in order", () => {
  feed.take([{ ...want("see", "AAPL"), channel: "ticks" }]);
  newest().opens();
  for (const sequence of [1, 2, 3]) newest().says(`{"type":"tick","symbol":"AAPL","sequence":${sequence}}`);
  newest().says('{"type":"tick","symbol":"MSFT","sequence":1}');
  vi.advanceTimersByTime(SHOWN_INTERVAL_MS);
  expect(
    told.flatMap(({ ticks }) => ticks).map(([symbol, text]) => `${symbol} ${text.slice(-2, -1)}`),
  ).toEqual(["AAPL 1", "AAPL 2", "AAPL 3"]);
});

test("the address follows the page's own", () => {
  expect(feedAddress("https://gaemi.example/assets/feed.js")).toBe("wss://gaemi.example/ws");
  expect(feedAddress("http://127.0.0.1:8000/orders")).toBe("ws://127.0.0.1:8000/ws");
});
