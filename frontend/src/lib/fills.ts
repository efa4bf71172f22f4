import { create } from "zustand";
import type { Fill, OrderDetail } from "@/lib/api/types";
import { FILLS_KEPT_MAX } from "@/lib/limits";

/** A fill, and the trading day of its price where that is known: in a replay that is long past. */
export interface SeenFill extends Fill {
  sessionDate?: string | null | undefined;
}

/** Fills that happened while the page was open, newest first. */
export const useFills = create<{ fills: readonly SeenFill[] }>(() => ({ fills: [] }));

const keyOf = ({ accountId, executionId }: Fill) => `${accountId} ${executionId}`;

/** Adds a fill; false where it was known. */
export function addFill(fill: SeenFill): boolean {
  const { fills } = useFills.getState();
  if (fills.some((known) => keyOf(known) === keyOf(fill))) return false;
  useFills.setState({ fills: [fill, ...fills].slice(0, FILLS_KEPT_MAX) });
  return true;
}

/** Fills of before this visit and those of it, each once, newest first. */
export function mergeFills(heard: readonly SeenFill[], loaded: readonly SeenFill[]): SeenFill[] {
  const all = new Map(heard.map((fill) => [keyOf(fill), fill]));
  // The server knows the day of the price better than the page, which may have had no price yet.
  for (const fill of loaded)
    all.set(keyOf(fill), { ...fill, sessionDate: fill.sessionDate ?? all.get(keyOf(fill))?.sessionDate });
  return [...all.values()]
    .sort((left, right) => Date.parse(right.occurredAt) - Date.parse(left.occurredAt))
    .slice(0, FILLS_KEPT_MAX);
}

/** The fills that an order's history tells. */
export function fillsOf({ id, accountId, symbol, side, currency, executions }: OrderDetail): SeenFill[] {
  return executions.map(({ executionId, quantity, price, commission, tax, occurredAt, sessionDate }) => ({
    accountId,
    orderId: id,
    executionId,
    symbol,
    side,
    quantity,
    price,
    commission,
    tax,
    currency,
    occurredAt,
    sessionDate,
  }));
}

/** Whether a fill of the order has been heard of. */
export function hasFill(orderId: string): boolean {
  return useFills.getState().fills.some((fill) => fill.orderId === orderId);
}

export function forgetFills(): void {
  useFills.setState({ fills: [] });
}
