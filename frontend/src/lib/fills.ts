import { create } from "zustand";
import type { Fill } from "@/lib/api/types";
import { FILLS_KEPT_MAX } from "@/lib/limits";

/** Fills that happened while the page was open, newest first. */
export const useFills = create<{ fills: readonly Fill[] }>(() => ({ fills: [] }));

/** Adds a fill; false where it was known. */
export function addFill(fill: Fill): boolean {
  const { fills } = useFills.getState();
  if (
    fills.some(
      ({ executionId, accountId }) => executionId === fill.executionId && accountId === fill.accountId,
    )
  ) {
    return false;
  }
  useFills.setState({ fills: [fill, ...fills].slice(0, FILLS_KEPT_MAX) });
  return true;
}

/** Whether a fill of the order has been heard of. */
export function hasFill(orderId: string): boolean {
  return useFills.getState().fills.some((fill) => fill.orderId === orderId);
}

export function forgetFills(): void {
  useFills.setState({ fills: [] });
}
