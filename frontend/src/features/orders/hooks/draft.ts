import type { Account, PlaceOrder, Side } from "@/lib/api/types";
import { type Decimal, parseDecimal, plainText } from "@/lib/decimal";

/** An order as it stands in the ticket: what was typed, not yet what it means. */
export interface Draft {
  side: Side;
  type: "market" | "limit";
  timeInForce: "day" | "gtc";
  quantity: string;
  limitPrice: string;
}

export const EMPTY_DRAFT: Draft = {
  side: "buy",
  type: "market",
  timeInForce: "day",
  quantity: "",
  limitPrice: "",
};

/** Shares typed: a whole number above zero. */
export function readQuantity(text: string): Decimal | null {
  const quantity = parseDecimal(text);
  return quantity?.isInteger() && quantity.greaterThan(0) ? quantity : null;
}

export function readPrice(text: string): Decimal | null {
  const price = parseDecimal(text);
  return price?.greaterThan(0) ? price : null;
}

/** The order a draft means, or null while something is missing. */
export function orderOf(draft: Draft, account: Account, symbol: string): PlaceOrder | null {
  const quantity = readQuantity(draft.quantity);
  if (quantity === null) return null;
  const order: PlaceOrder = {
    accountId: account.id,
    symbol,
    side: draft.side,
    type: draft.type,
    timeInForce: draft.timeInForce,
    quantity: plainText(quantity),
  };
  if (draft.type === "market") return order;
  const limitPrice = readPrice(draft.limitPrice);
  return limitPrice === null ? null : { ...order, limitPrice: plainText(limitPrice) };
}
