import type { OrderGroup } from "@/lib/api/types";
import { isOpen } from "@/lib/order-lists";

/** Whether nothing can happen in a group any more: each of its orders has ended, or never will be. */
export function isOver({ legs }: Pick<OrderGroup, "legs">): boolean {
  return legs.every(({ state, order }) =>
    order == null ? state === "dropped" || state === "refused" : !isOpen(order),
  );
}
