import type { Capabilities, Order, ReplaceOrder } from "@/lib/api/types";
import { Decimal, parseDecimal, plainText } from "@/lib/decimal";

/** What can be different about an open order. */
export type TermField = "quantity" | "limitPrice" | "stopPrice" | "trailAmount" | "trailPercent";
export type Terms = Partial<Record<TermField, string>>;

const PRICES = ["limitPrice", "stopPrice", "trailAmount", "trailPercent"] as const;

/** The terms an order has, as they are typed. A trailing stop's own stop price follows the market and is no term. */
export function termsOf(order: Order): Terms {
  const terms: Terms = { quantity: new Decimal(order.quantity).toFixed() };
  for (const field of PRICES) {
    const value = order[field];
    const follows = field === "stopPrice" && order.type === "trailing_stop";
    if (value != null && !follows) terms[field] = new Decimal(value).toFixed();
  }
  return terms;
}

/** Those of them that the order's broker gives another value to; while that is not known, all. */
export function changeableTerms(
  order: Order,
  broker: Pick<Capabilities, "replaceQuantity"> | undefined,
): Terms {
  // An order by amount of money stays as it is.
  if (order.notional != null) return {};
  const terms = termsOf(order);
  const { quantity: _, ...prices } = terms;
  return broker?.replaceQuantity === false ? prices : terms;
}

/** What is to be different, in the server's words; null where something typed is no number above zero. */
export function changedTerms(before: Terms, typed: Terms): ReplaceOrder | null {
  const changed: ReplaceOrder = {};
  for (const field of Object.keys(before) as TermField[]) {
    const value = parseDecimal(typed[field] ?? "");
    if (value === null || !value.greaterThan(0)) return null;
    if (!value.equals(before[field] ?? 0)) changed[field] = plainText(value);
  }
  return changed;
}
