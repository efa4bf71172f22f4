import { expect, test } from "vitest";
import type { Order } from "@/lib/api/types";
import { matches, upToDate } from "./matching";

const order = (part: Partial<Order>) =>
  ({
    id: "1",
    symbol: "AAPL",
    side: "buy",
    type: "limit",
    state: "open",
    clientOrderId: "mine-7",
    filledQuantity: "0",
    createdAt: "2026-03-02T10:00:00Z",
    updatedAt: "2026-03-02T10:00:00Z",
    ...part,
  }) as Order;

test("an order is judged by every filter", () => {
  expect(matches(order({}), {})).toBe(true);
  expect(
    matches(order({}), { status: "open", symbol: "AAPL", side: "buy", type: "limit", text: "MINE" }),
  ).toBe(true);
  for (const search of [
    { status: "filled" },
    { symbol: "IBM" },
    { side: "sell" },
    { type: "stop" },
    { text: "yours" },
    { from: "2026-03-09" },
    { to: "2026-02-20" },
  ] as const)
    expect(matches(order({}), search), JSON.stringify(search)).toBe(false);
});

test("what was heard replaces what was loaded, and leaves the list it no longer belongs to", () => {
  const filled = order({ state: "filled", filledQuantity: "10", updatedAt: "2026-03-02T11:00:00Z" });
  expect(upToDate([order({})], [filled], {}, false)[0]?.state).toBe("filled");
  expect(upToDate([order({})], [filled], { status: "open" }, false)).toEqual([]);
});

test("a new order comes first, an old one that was not loaded yet does not come early", () => {
  const loaded = [order({})];
  const young = order({ id: "2", createdAt: "2026-03-03T10:00:00Z" });
  const old = order({ id: "0", createdAt: "2026-03-01T10:00:00Z" });
  expect(upToDate(loaded, [young, old], {}, false).map(({ id }) => id)).toEqual(["2", "1"]);
  expect(upToDate(loaded, [young, old], {}, true).map(({ id }) => id)).toEqual(["2", "1", "0"]);
});
