import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { ProblemError } from "@/lib/api/problem";
import type { Order } from "@/lib/api/types";
import { hasFill } from "@/lib/fills";
import { formatQuantity } from "@/lib/format";
import { UNSURE_INTENT_MS_MAX } from "@/lib/limits";
import { acceptanceIsNews, applyOrder, hasArrived } from "@/lib/order-lists";
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

/** Refusals that speak of the order itself, under its key. Others, such as "too many requests", were said before a look at it. */
const ABOUT_THE_ORDER: readonly number[] = [409, 422];

function isOver(failure: unknown, wasUnsure: boolean): boolean {
  if (outcomeUnknown(failure)) return false;
  return !wasUnsure || (failure instanceof ProblemError && ABOUT_THE_ORDER.includes(failure.status));
}

interface Intent {
  text: string;
  key: string;
  /** When it was sent and nobody said what became of it. */
  unsureAt: number | null;
}

/** The last wish whose fate nobody knows: it keeps its key also when its reader looks elsewhere and comes back. */
let unsure: Intent | null = null;

function intentOf(text: string, known: Intent | null): Intent {
  if (known?.text === text) return known;
  const isFresh = unsure?.unsureAt != null && Date.now() - unsure.unsureAt < UNSURE_INTENT_MS_MAX;
  // What has been seen to arrive since is over: the same wish again is another order.
  if (unsure !== null && isFresh && unsure.text === text && !hasArrived(unsure.key)) return unsure;
  return { text, key: randomUuid(), unsureAt: null };
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
  const intent = useRef<Intent | null>(null);
  const inFlight = useRef(false);
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
    mutationFn: async (wish: Wish) => {
      intent.current = intentOf(JSON.stringify(wish), intent.current);
      rememberOwnOrder(intent.current.key);
      try {
        return await send(wish, intent.current.key);
      } finally {
        inFlight.current = false;
      }
    },
    onSuccess: (orders, wish) => {
      intent.current = null;
      unsure = null;
      for (const order of orders) tell(order);
      if (wish.kind === "group")
        void queries.invalidateQueries({ queryKey: queryKeys.orderGroups(wish.order.accountId) });
    },
    onError: (failure) => {
      // A refused order is over; what may have been taken keeps its key.
      if (intent.current === null) return;
      if (isOver(failure, intent.current.unsureAt !== null)) {
        if (unsure?.key === intent.current.key) unsure = null;
        intent.current = null;
      } else if (outcomeUnknown(failure)) {
        unsure = { ...intent.current, unsureAt: Date.now() };
        intent.current = unsure;
      }
    },
  });
  const place = (wish: Wish, onPlaced: () => void) => {
    // Two clicks can come before the first one is rendered.
    if (inFlight.current) return;
    inFlight.current = true;
    placing.mutate(wish, { onSuccess: onPlaced });
  };
  /** Forgets what came of the last order. One that is under way is waited for: its answer must not be lost. */
  const reset = () => {
    if (!inFlight.current) placing.reset();
  };
  return { place, reset, isPending: placing.isPending, failure: placing.error };
}
