import { beforeEach, expect, test } from "vitest";
import { type LiveQuote, readQuote } from "./quote";
import { LatestStore } from "./store";

let wishes: string[];
let flushes: (() => void)[];
let store: LatestStore<LiveQuote>;

beforeEach(() => {
  wishes = [];
  flushes = [];
  store = new LatestStore(
    readQuote,
    (how, on, symbol) => wishes.push(`${on ? "+" : "-"}${how} ${symbol}`),
    (flush) => flushes.push(flush),
  );
});

const put = (symbol: string, price: string) => store.put(symbol, { symbol, price } as LiveQuote);
const flush = () => {
  for (const run of flushes.splice(0)) run();
};

test("a symbol is wanted from its first listener to its last", () => {
  const first = store.subscribe("AAPL", () => {});
  const second = store.subscribe("AAPL", () => {});
  first();
  first();
  expect(wishes).toEqual(["+see AAPL"]);
  second();
  expect(wishes).toEqual(["+see AAPL", "-see AAPL"]);
  expect(store.wants()).toEqual([]);
});

test("a symbol is kept until the last who wants it leaves, whoever looks meanwhile", () => {
  const first = store.keep(["AAPL", "MSFT"]);
  const second = store.keep(["AAPL"]);
  store.subscribe("AAPL", () => {})();
  expect(store.wants()).toEqual([
    { how: "keep", symbol: "AAPL" },
    { how: "keep", symbol: "MSFT" },
  ]);
  first();
  second();
  expect(wishes).toEqual(["+keep AAPL", "+keep MSFT", "+see AAPL", "-see AAPL", "-keep MSFT", "-keep AAPL"]);
});

test("a price reaches only the listeners of its symbol, once a frame, with the latest value", () => {
  const heard: string[] = [];
  store.subscribe("AAPL", () => heard.push(`AAPL ${store.get("AAPL")?.price}`));
  store.subscribe("MSFT", () => heard.push("MSFT"));
  put("AAPL", "1");
  put("AAPL", "2");
  expect(heard).toEqual([]);
  expect(flushes).toHaveLength(1);
  flush();
  expect(heard).toEqual(["AAPL 2"]);
});

test("a quote that came before its listener is there at once", () => {
  put("IBM", "190");
  expect(flushes).toHaveLength(0);
  expect(store.get("IBM")?.price).toBe("190");
});

test("a message is read when somebody looks, and what cannot be read leaves the price of before", () => {
  const heard: (string | undefined)[] = [];
  store.subscribe("AAPL", () => heard.push(store.get("AAPL")?.price));
  store.putMessage("AAPL", '{"type":"quote","symbol":"AAPL","price":1}');
  store.putMessage("AAPL", '{"type":"quote","symbol":"AAPL","price":2}');
  flush();
  store.putMessage("AAPL", '{"type":"quote","symbol":"AAPL","pri');
  flush();
  expect(heard).toEqual(["2", "2"]);
  expect(store.get("AAPL")).toBe(store.get("AAPL"));
});
