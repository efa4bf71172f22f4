import { QueryClient } from "@tanstack/react-query";
import { beforeEach, expect, test } from "vitest";
import type { Order } from "@/lib/api/types";
import { acceptanceIsNews, applyOrder, forgetOrders, tellsMore, withHeard, withOrder } from "./order-lists";
import { queryKeys } from "./query-keys";

const ACCOUNT = "account-1";

function order(part: Partial<Order> = {}): Order {
  return {
    id: "order-1",
    accountId: ACCOUNT,
    symbol: "AAPL",
    state: "pending",
    filledQuantity: "0",
    cancelRequested: false,
    createdAt: "2026-01-05T10:00:00Z",
    updatedAt: "2026-01-05T10:00:00Z",
    ...part,
  } as Order;
}

beforeEach(forgetOrders);

test("a late answer never takes back what an event has told", () => {
  const filled = order({ state: "filled", filledQuantity: "10" });
  expect(tellsMore(filled, order())).toBe(false);
  expect(tellsMore(order(), filled)).toBe(true);
  expect(tellsMore(order({ state: "open" }), order())).toBe(false);
  expect(tellsMore(order({ state: "cancelled" }), order({ state: "open", cancelRequested: true }))).toBe(
    false,
  );
});

test("of two words on a working order the later one counts, a refused cancel too", () => {
  const cancelling = order({ state: "open", cancelRequested: true, updatedAt: "2026-01-05T10:00:05Z" });
  expect(tellsMore(cancelling, order({ state: "open", updatedAt: "2026-01-05T10:00:04Z" }))).toBe(false);
  expect(tellsMore(cancelling, order({ state: "open", updatedAt: "2026-01-05T10:00:06Z" }))).toBe(true);
});

test("an execution that is taken back later opens the order again, and a correction counts less than before", () => {
  const filled = order({ state: "filled", filledQuantity: "10" });
  const undone = order({ state: "open", filledQuantity: "0", updatedAt: "2026-01-05T10:05:00Z" });
  expect(tellsMore(filled, undone)).toBe(true);
  expect(tellsMore(undone, filled)).toBe(false);
  expect(
    tellsMore(undone, order({ state: "open", filledQuantity: "8", updatedAt: "2026-01-05T10:05:00Z" })),
  ).toBe(true);
});

test("a late fill of an ended order still counts", () => {
  const cancelled = order({ state: "cancelled" });
  expect(tellsMore(cancelled, order({ state: "cancelled", filledQuantity: "3" }))).toBe(true);
});

test("an order that ends moves from one list to the other", () => {
  const lists = withOrder({ open: [order({ state: "open" })], closed: [] }, order({ state: "cancelled" }));
  expect(lists.open).toEqual([]);
  expect(lists.closed.map(({ state }) => state)).toEqual(["cancelled"]);
});

test("newest orders stand first", () => {
  const old = order({ id: "old", state: "open", createdAt: "2026-01-04T10:00:00Z" });
  expect(withOrder({ open: [old], closed: [] }, order()).open.map(({ id }) => id)).toEqual([
    "order-1",
    "old",
  ]);
});

test("a list that arrives after an event is brought up to it", () => {
  const queries = new QueryClient();
  applyOrder(queries, order({ state: "filled", filledQuantity: "10" }));
  expect(withHeard(ACCOUNT, "open", [order({ state: "open" })])).toEqual([]);
  expect(withHeard(ACCOUNT, "closed", [])).toHaveLength(1);
  expect(withHeard("another account", "closed", [])).toEqual([]);
});

test("an event does not make an unknown list look complete", () => {
  const queries = new QueryClient();
  applyOrder(queries, order());
  expect(queries.getQueryData(queryKeys.openOrders(ACCOUNT))).toBeUndefined();
  queries.setQueryData(queryKeys.openOrders(ACCOUNT), []);
  applyOrder(queries, order({ state: "open" }));
  expect(queries.getQueryData(queryKeys.openOrders(ACCOUNT))).toHaveLength(1);
});

test("an answer that a fill has overtaken puts no ended order among the working ones", () => {
  const queries = new QueryClient();
  // The history is not on the screen: only the open orders are loaded.
  queries.setQueryData(queryKeys.openOrders(ACCOUNT), []);
  const filled = order({ state: "filled", filledQuantity: "10" });
  applyOrder(queries, filled);
  expect(applyOrder(queries, order({ state: "pending" }))).toEqual(filled);
  expect(queries.getQueryData(queryKeys.openOrders(ACCOUNT))).toEqual([]);
});

test("an order is announced as accepted only while nothing later is known of it", () => {
  expect(acceptanceIsNews(undefined)).toBe(true);
  expect(acceptanceIsNews(order({ state: "open" }))).toBe(true);
  expect(acceptanceIsNews(order({ state: "open", filledQuantity: "1" }))).toBe(false);
  expect(acceptanceIsNews(order({ state: "rejected" }))).toBe(false);
});
