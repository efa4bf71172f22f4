import type { Order } from "@/lib/api/types";
import { isOpen, newestFirst, tellsMore } from "@/lib/order-lists";
import { type OrderSearch, startOfDay } from "@/lib/order-search";

function hasText(order: Order, text: string): boolean {
  const wanted = text.toLowerCase();
  return [order.symbol, order.clientOrderId, order.reason ?? ""].some((word) =>
    word.toLowerCase().includes(wanted),
  );
}

function hasStatus(order: Order, status: OrderSearch["status"]): boolean {
  if (status === undefined || status === "all") return true;
  return status === "open" ? isOpen(order) : order.state === status;
}

function isWithin(order: Order, from: string | undefined, to: string | undefined): boolean {
  const made = Date.parse(order.createdAt);
  const start = from === undefined ? null : startOfDay(from);
  const end = to === undefined ? null : startOfDay(to, 1);
  return (start === null || made >= Date.parse(start)) && (end === null || made < Date.parse(end));
}

/** Whether an order is one that a search looks for, as the server would say it. */
export function matches(order: Order, search: OrderSearch): boolean {
  return (
    hasStatus(order, search.status) &&
    (search.symbol === undefined || order.symbol === search.symbol) &&
    (search.side === undefined || order.side === search.side) &&
    (search.type === undefined || order.type === search.type) &&
    (search.text === undefined || hasText(order, search.text)) &&
    isWithin(order, search.from, search.to)
  );
}

/**
 * The loaded pages of a search, brought up to what was heard since: orders in their newest state, without those that are
 * none of it any more, and with new ones. Heard orders that are older than the last loaded one wait for their page.
 */
export function upToDate(
  loaded: readonly Order[],
  heard: readonly Order[],
  search: OrderSearch,
  complete: boolean,
): Order[] {
  const orders = new Map(loaded.map((order) => [order.id, order]));
  const oldest = loaded.at(-1);
  for (const order of heard) {
    const known = orders.get(order.id);
    if (known !== undefined ? tellsMore(known, order) : complete || isNewer(order, oldest))
      orders.set(order.id, order);
  }
  return [...orders.values()].filter((order) => matches(order, search)).sort(newestFirst);
}

function isNewer(order: Order, oldest: Order | undefined): boolean {
  return oldest === undefined || newestFirst(order, oldest) < 0;
}
