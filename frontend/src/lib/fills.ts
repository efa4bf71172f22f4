import { create } from "zustand";
import type { Fill, OrderDetail } from "@/lib/api/types";
import { FILLS_KEPT_MAX } from "@/lib/limits";

/** A fill, and the trading day of its share's price where the page has seen it happen: in a replay that is long past. */
export interface SeenFill extends Fill {
  sessionDate?: string | undefined;
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
export function mergeFills(heard: readonly SeenFill[], loaded: readonly Fill[]): SeenFill[] {
  const all = new Map([...loaded, ...heard].map((fill): [string, SeenFill] => [keyOf(fill), fill]));
  return [...all.values()]
    .sort((left, right) => Date.parse(right.occurredAt) - Date.parse(left.occurredAt))
    .slice(0, FILLS_KEPT_MAX);
}

/** The fills that an order's history tells. */
export function fillsOf({ id, accountId, symbol, side, currency, executions }: OrderDetail): Fill[] {
  return executions.map(({ executionId, quantity, price, commission, tax, occurredAt }) => ({
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
  }));
}

/** Whether a fill of the order has been heard of. */
export function hasFill(orderId: string): boolean {
  return useFills.getState().fills.some((fill) => fill.orderId === orderId);
}

export function forgetFills(): void {
  useFills.setState({ fills: [] });
}
