import type { QueryClient } from "@tanstack/react-query";
import { create } from "zustand";
import type { Order } from "@/lib/api/types";
import { Decimal } from "@/lib/decimal";
import { CLOSED_ORDERS_MAX, ORDER_CLOCK_SLACK_MS } from "@/lib/limits";
import { queryKeys } from "@/lib/query-keys";

export function isOpen(order: Pick<Order, "state">): boolean {
  return order.state === "pending" || order.state === "open";
}

/**
 * Whether `incoming` tells more than `known` of the same order: answers and events may overtake each other. An execution can be
 * taken back, which opens an order again, so the later state counts; of two in the same second, the one that has come further.
 */
export function tellsMore(known: Order, incoming: Order): boolean {
  const later = Date.parse(incoming.updatedAt) - Date.parse(known.updatedAt);
  if (Math.abs(later) > ORDER_CLOCK_SLACK_MS) return later > 0;
  const grown = new Decimal(incoming.filledQuantity).comparedTo(known.filledQuantity);
  if (grown !== 0) return grown > 0;
  if (!isOpen(known) && isOpen(incoming)) return false;
  if (isOpen(known) && !isOpen(incoming)) return true;
  if (known.state === "open" && incoming.state === "pending") return false;
  return later >= 0;
}

/** Whether "accepted" still says something new of an order of which this was known before. */
export function acceptanceIsNews(before: Order | undefined): boolean {
  return before === undefined || (isOpen(before) && new Decimal(before.filledQuantity).isZero());
}

export interface OrderLists {
  open: Order[];
  closed: Order[];
}

export const newestFirst = (left: Order, right: Order) =>
  left.createdAt === right.createdAt
    ? right.id.localeCompare(left.id)
    : right.createdAt.localeCompare(left.createdAt);

/** The lists with one order's latest state in the list it belongs to. */
export function withOrder(lists: OrderLists, order: Order): OrderLists {
  const known = [...lists.open, ...lists.closed].find(({ id }) => id === order.id);
  const latest = known !== undefined && !tellsMore(known, order) ? known : order;
  const others = (list: Order[]) => list.filter(({ id }) => id !== order.id);
  const open = others(lists.open);
  const closed = others(lists.closed);
  (isOpen(latest) ? open : closed).push(latest);
  return { open: open.sort(newestFirst), closed: closed.sort(newestFirst).slice(0, CLOSED_ORDERS_MAX) };
}

/** Orders heard of while the page runs: an answer that was on its way meanwhile may not know them. */
const heard = new Map<string, Order>();
const HEARD_MAX = 1_000;

/** Counts what was heard, so that lists which are kept elsewhere know when to look again. */
export const useHeardOrders = create<{ count: number }>(() => ({ count: 0 }));

/** Every order heard of in an account, in no particular order. */
export function heardOrders(accountId: string): Order[] {
  return [...heard.values()].filter((order) => order.accountId === accountId);
}

/** Whether an order was heard of under a key of ours. */
export function hasArrived(clientOrderId: string): boolean {
  return [...heard.values()].some((order) => order.clientOrderId === clientOrderId);
}

/** Takes note of an order's state; returns the newest state heard of, which may be another. */
function hear(order: Order): Order {
  const known = heard.get(order.id);
  if (known !== undefined && !tellsMore(known, order)) return known;
  heard.delete(order.id);
  heard.set(order.id, order);
  useHeardOrders.setState(({ count }) => ({ count: count + 1 }));
  const oldest = heard.keys().next();
  if (heard.size > HEARD_MAX && !oldest.done) heard.delete(oldest.value);
  return order;
}

/** The server's list, brought up to what has been heard since it was written. */
export function withHeard(accountId: string, list: "open" | "closed", orders: Order[]): Order[] {
  let lists: OrderLists = { open: [], closed: [], [list]: orders };
  for (const order of heard.values()) {
    if (order.accountId === accountId) lists = withOrder(lists, order);
  }
  return lists[list];
}

/** Puts an order's latest state into the lists on the screen; returns what was known of it before. */
export function applyOrder(queries: QueryClient, order: Order): Order | undefined {
  const before = heard.get(order.id);
  // A list that has not been loaded cannot say that the order has ended meanwhile; what was heard can.
  const latest = hear(order);
  const openKey = queryKeys.openOrders(order.accountId);
  const closedKey = queryKeys.closedOrders(order.accountId);
  const open = queries.getQueryData<Order[]>(openKey);
  const closed = queries.getQueryData<Order[]>(closedKey);
  const known = before ?? [...(open ?? []), ...(closed ?? [])].find(({ id }) => id === order.id);
  const lists = withOrder({ open: open ?? [], closed: closed ?? [] }, latest);
  // A list that has not been loaded stays unknown: it would look complete.
  if (open !== undefined) queries.setQueryData(openKey, lists.open);
  if (closed !== undefined) queries.setQueryData(closedKey, lists.closed);
  void queries.invalidateQueries({ queryKey: queryKeys.order(order.id) });
  if (order.groupId != null)
    void queries.invalidateQueries({ queryKey: queryKeys.orderGroups(order.accountId) });
  return known;
}

export function forgetOrders(): void {
  heard.clear();
}
