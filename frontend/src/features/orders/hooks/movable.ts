import type { Order } from "@/lib/api/types";

/** A price of an open order that can be changed by moving its line. */
export interface Movable {
  id: string;
  order: Order;
  field: "limitPrice" | "stopPrice";
  price: string;
}

/** The prices of an order; a trailing stop's own price follows the market and is not the trader's to move. */
export function movablePrices(order: Order): Movable[] {
  if (order.type === "trailing_stop") return [];
  return (["limitPrice", "stopPrice"] as const).flatMap((field) => {
    const price = order[field];
    // A stop that was triggered is history.
    const over = field === "stopPrice" && order.triggeredAt != null;
    return price == null || over ? [] : [{ id: `${order.id} ${field}`, order, field, price }];
  });
}
