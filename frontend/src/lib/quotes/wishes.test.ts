import { expect, test } from "vitest";
import { Wishes } from "./wishes";

test("wishes of one moment are one request for each channel, and quotes are named by nothing", () => {
  const wishes = new Wishes();
  for (const symbol of ["AAPL", "MSFT"]) wishes.want("quotes", symbol);
  wishes.want("order_book", "AAPL");
  wishes.unwant("ticks", "IBM");
  expect(wishes.take()).toEqual([
    { action: "unsubscribe", symbols: ["IBM"], channel: "ticks" },
    { action: "subscribe", symbols: ["AAPL", "MSFT"] },
    { action: "subscribe", symbols: ["AAPL"], channel: "order_book" },
  ]);
  expect(wishes.take()).toEqual([]);
});

test("what is taken back at once is not sent, and one channel says nothing of another", () => {
  const wishes = new Wishes();
  wishes.want("quotes", "AAPL");
  wishes.unwant("quotes", "AAPL");
  wishes.unwant("ticks", "AAPL");
  wishes.want("quotes", "IBM");
  expect(wishes.take()).toEqual([
    { action: "unsubscribe", symbols: ["AAPL"], channel: "ticks" },
    { action: "subscribe", symbols: ["IBM"] },
  ]);
});
