import type { OrderType, Side } from "@/lib/api/types";

/** Which orders the room of orders shows; it stands in the address, so that it can be kept and shared between tabs. */
export interface OrderSearch {
  status?: OrderStatusFilter;
  symbol?: string;
  side?: Side;
  type?: OrderType;
  from?: string;
  to?: string;
  text?: string;
}

export const STATUS_FILTERS = ["all", "open", "filled", "cancelled", "expired", "rejected"] as const;
export type OrderStatusFilter = (typeof STATUS_FILTERS)[number];

const SIDES: readonly Side[] = ["buy", "sell"];
export const ORDER_TYPES: readonly OrderType[] = ["market", "limit", "stop", "stop_limit", "trailing_stop"];
const SYMBOL = /^[A-Z0-9][A-Z0-9.-]{0,11}$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
/** The server takes words of this length. */
const TEXT_LENGTH_MAX = 64;

function oneOf<Value extends string>(values: readonly Value[], value: unknown): Value | undefined {
  return values.find((known) => known === value);
}

function matching(pattern: RegExp, value: unknown): string | undefined {
  return typeof value === "string" && pattern.test(value) ? value : undefined;
}

/** Reads what an address says; what is no filter is left out. */
export function readOrderSearch(address: Record<string, unknown>): OrderSearch {
  const text = typeof address.text === "string" ? address.text.trim().slice(0, TEXT_LENGTH_MAX) : "";
  const read = {
    status: oneOf(STATUS_FILTERS, address.status),
    symbol: matching(SYMBOL, address.symbol),
    side: oneOf(SIDES, address.side),
    type: oneOf(ORDER_TYPES, address.type),
    from: matching(DAY, address.from),
    to: matching(DAY, address.to),
    text: text === "" ? undefined : text,
  };
  return Object.fromEntries(Object.entries(read).filter(([, value]) => value !== undefined));
}

/** The moment at which a day of the reader's clock begins, some days later; null for what is no day. */
export function startOfDay(day: string, daysLater = 0): string | null {
  const [year = 0, month = 0, date = 0] = day.split("-").map(Number);
  const start = new Date(year, month - 1, date + daysLater);
  return Number.isNaN(start.getTime()) || !DAY.test(day) ? null : start.toISOString();
}

/** The filter in the server's words. A whole day is meant by `to`, so the search ends where the next one begins. */
export function orderQuery(search: OrderSearch, accountId: string) {
  const { status = "all", symbol, side, type, text } = search;
  const from = search.from === undefined ? null : startOfDay(search.from);
  const to = search.to === undefined ? null : startOfDay(search.to, 1);
  return {
    accountId,
    status,
    ...(symbol !== undefined && { symbol }),
    ...(side !== undefined && { side }),
    ...(type !== undefined && { type }),
    ...(text !== undefined && { text }),
    ...(from !== null && { from }),
    ...(to !== null && { to }),
  };
}
