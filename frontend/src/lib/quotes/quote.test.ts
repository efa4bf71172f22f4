import { expect, test } from "vitest";
import { priceKind, quotedSymbol, readQuote, readQuoteMessage } from "./quote";

test("a quote's prices become text and its counts stay numbers", () => {
  const message = readQuoteMessage(
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
    expect(readQuoteMessage(text), text).toBeNull();
});

test("only an undelayed price of a market is live", () => {
  const kind = (source: string, delayed: boolean, simulated: boolean) =>
    priceKind({ source, delayed, simulated });
  expect(kind("yahoo", false, false)).toBe("live");
  expect(kind("yahoo", true, false)).toBe("delayed");
  expect(kind("replay", true, false)).toBe("recorded");
  expect(kind("synthetic", false, true)).toBe("simulated");
});

test("the symbol of a quote is told without reading it", () => {
  expect(quotedSymbol('{"type":"quote","symbol":"005930.KS","price":1}')).toBe("005930.KS");
  for (const text of [
    '{"type":"status","subscribed":[]}',
    '{"symbol":"AAPL","type":"quote"}',
    '{"type":"quote","symbol":"AA',
  ])
    expect(quotedSymbol(text), text).toBeNull();
  expect(readQuote('{"type":"quote","symbol":"AAPL","price":1.25}')).toEqual({
    symbol: "AAPL",
    price: "1.25",
  });
  expect(readQuote('{"type":"pong"}')).toBeNull();
});
