import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { ProblemError } from "@/lib/api/problem";
import type { Order } from "@/lib/api/types";
import { hasFill } from "@/lib/fills";
import { formatQuantity } from "@/lib/format";
import { acceptanceIsNews, applyOrder } from "@/lib/order-lists";
import { rememberOwnOrder } from "@/lib/own-orders";
import { queryKeys } from "@/lib/query-keys";
import { randomUuid } from "@/lib/random";
import { showToast } from "@/lib/toasts";
import { placeGroup, placeOrder } from "../api/orders";
import type { Wish } from "./draft";

/** With these the server says for certain that it has taken nothing. */
const NOTHING_TAKEN: readonly string[] = ["not_reconciled", "price_unavailable"];

/** Whether the server may have taken the order although no good answer came. */
export function outcomeUnknown(failure: unknown): boolean {
  if (!(failure instanceof ProblemError) || NOTHING_TAKEN.includes(failure.code)) return false;
  return failure.status === 0 || failure.status >= 500;
}

async function send(wish: Wish, key: string): Promise<Order[]> {
  if (wish.kind === "order") return [await placeOrder(wish.order, key)];
  const { legs } = await placeGroup(wish.group, key);
  return legs.flatMap(({ order }) => (order == null ? [] : [order]));
}

/**
 * Places what was wished for once, however often the button is pressed: the key belongs to the intended order and stays
 * until the server has answered it or its contents change.
 */
export function usePlaceOrder() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const intent = useRef<{ text: string; key: string } | null>(null);
  const tell = (order: Order) => {
    const before = applyOrder(queries, order);
    // The event stream may have told of the fill before this answer came.
    if (!acceptanceIsNews(before) || hasFill(order.id)) return;
    showToast({
      tone: "plain",
      title: t("ticket.placed", {
        side: t(`ticket.${order.side}`),
        quantity: formatQuantity(order.quantity),
        symbol: order.symbol,
      }),
    });
  };
  const placing = useMutation({
    mutationFn: (wish: Wish) => {
      const text = JSON.stringify(wish);
      if (intent.current?.text !== text) intent.current = { text, key: randomUuid() };
      rememberOwnOrder(intent.current.key);
      return send(wish, intent.current.key);
    },
    onSuccess: (orders, wish) => {
      intent.current = null;
      for (const order of orders) tell(order);
      if (wish.kind === "group")
        void queries.invalidateQueries({ queryKey: queryKeys.orderGroups(wish.order.accountId) });
    },
    onError: (failure) => {
      // A refused order is over; what may have been taken keeps its key.
      if (!outcomeUnknown(failure)) intent.current = null;
    },
  });
  const inFlight = useRef(false);
  const place = (wish: Wish, onPlaced: () => void) => {
    // Two clicks can come before the first one is rendered.
    if (inFlight.current) return;
    inFlight.current = true;
    placing.mutate(wish, {
      onSuccess: onPlaced,
      onSettled: () => {
        inFlight.current = false;
      },
    });
  };
  return { place, reset: placing.reset, isPending: placing.isPending, failure: placing.error };
}
