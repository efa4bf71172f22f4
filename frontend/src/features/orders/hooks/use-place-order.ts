import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { ProblemError } from "@/lib/api/problem";
import type { PlaceOrder } from "@/lib/api/types";
import { hasFill } from "@/lib/fills";
import { formatQuantity } from "@/lib/format";
import { acceptanceIsNews, applyOrder } from "@/lib/order-lists";
import { rememberOwnOrder } from "@/lib/own-orders";
import { randomUuid } from "@/lib/random";
import { showToast } from "@/lib/toasts";
import { placeOrder } from "../api/orders";

/** Whether the server may have taken the order although no good answer came. */
export function outcomeUnknown(failure: unknown): boolean {
  return failure instanceof ProblemError && (failure.status === 0 || failure.status >= 500);
}

/**
 * Places an order once, however often the button is pressed: the key belongs to the intended order and stays until
 * the server has answered it or its contents change.
 */
export function usePlaceOrder() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const intent = useRef<{ text: string; key: string } | null>(null);
  const placing = useMutation({
    mutationFn: (order: PlaceOrder) => {
      const text = JSON.stringify(order);
      if (intent.current?.text !== text) intent.current = { text, key: randomUuid() };
      rememberOwnOrder(intent.current.key);
      return placeOrder(order, intent.current.key);
    },
    onSuccess: (order) => {
      intent.current = null;
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
    },
    onError: (failure) => {
      // A refused order is over; what may have been taken keeps its key.
      if (!outcomeUnknown(failure)) intent.current = null;
    },
  });
  const inFlight = useRef(false);
  const place = (order: PlaceOrder, onPlaced: () => void) => {
    // Two clicks can come before the first one is rendered.
    if (inFlight.current) return;
    inFlight.current = true;
    placing.mutate(order, {
      onSuccess: onPlaced,
      onSettled: () => {
        inFlight.current = false;
      },
    });
  };
  return { place, reset: placing.reset, isPending: placing.isPending, failure: placing.error };
}
