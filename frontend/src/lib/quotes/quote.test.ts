import { expect, test } from "vitest";
import { readOrderBook } from "./order-book";
import { priceKind, readMessage, readQuote, topicOf } from "./quote";

test("a quote's prices become text and its counts stay numbers", () => {
  const message = readMessage(
    '{"type":"quote","symbol":"AAPL","price":150.25,"change":-1.5,"changePercent":-1.01,"volume":1000000,' +
      '"timestamp":1234567890,"bid":null,"ask":150.26,"previousClose":151.75}',
  );
  expect(message).toMatchObject({
    type: "quote",
    price: "150.25",
    change: "-1.5",
    bid: null,
    ask: "150.26",
    volume: 1_000_000,
  });
});

test("what is no message is nothing", () => {
  for (const text of ["", "{", "null", "7", "[]", '{"symbol":"AAPL"}'])
    expect(readMessage(text), text).toBeNull();
});

test("only an undelayed price of a market is live", () => {
  const kind = (source: string, delayed: boolean, simulated: boolean) =>
    priceKind({ source, delayed, simulated });
  expect(kind("yahoo", false, false)).toBe("live");
  expect(kind("yahoo", true, false)).toBe("delayed");
  expect(kind("replay", true, false)).toBe("recorded");
  expect(kind("synthetic", false, true)).toBe("simulated");
});

test("what a message is about is told without reading it", () => {
  expect(topicOf('{"type":"quote","symbol":"005930.KS","price":1}')).toEqual({
    type: "quote",
    symbol: "005930.KS",
  });
  expect(topicOf('{"type":"order_book","symbol":"AAPL","bids":[]}')?.type).toBe("order_book");
  for (const text of [
    '{"type":"status","subscribed":[]}',
    '{"type":"quotes","symbol":"AAPL"}',
    '{"symbol":"AAPL","type":"quote"}',
    '{"type":"quote","symbol":"AA',
    '{"type":"quote","symbol":""}',
  ])
    expect(topicOf(text), text).toBeNull();
});

test("a message is read as what it is, and as nothing else", () => {
  expect(readQuote('{"type":"quote","symbol":"AAPL","price":1.25}')).toEqual({
    symbol: "AAPL",
    price: "1.25",
  });
  expect(readQuote('{"type":"pong"}')).toBeNull();
  const book = '{"type":"order_book","symbol":"AAPL","bids":[{"price":1.25,"quantity":7}],"asks":[]}';
  expect(readOrderBook(book)?.bids).toEqual([{ price: "1.25", quantity: 7 }]);
  expect(readOrderBook('{"type":"quote","symbol":"AAPL"}')).toBeNull();
});
