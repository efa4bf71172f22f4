import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { formatPrice, formatQuantity } from "@/lib/format";
import { problemSentence } from "@/lib/i18n/sentences";
import { applyOrder } from "@/lib/order-lists";
import { usePreferences } from "@/lib/preferences";
import { showToast } from "@/lib/toasts";
import { Confirm } from "@/lib/ui/confirm";
import { replaceOrder } from "../api/orders";
import type { Movable } from "../hooks/movable";
import { useIsStale } from "../hooks/use-is-stale";

interface Props {
  /** Of this one move: its key. */
  id: string;
  movable: Movable;
  price: string;
  onDone: () => void;
}

/** Changes an order whose line was moved: after a look, or at once where orders are sent without one. */
export function MoveOrder({ id, movable, price, onDone }: Props) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const wantsLook = usePreferences((state) => state.confirmOrders);
  const stale = useIsStale();
  // Whether it is asked about is settled when the line is let go.
  const [confirms] = useState(wantsLook || stale);
  const { order, field } = movable;
  const moving = useMutation({
    mutationFn: () => replaceOrder(order.id, { [field]: price }, id),
    onSuccess: (latest) => {
      applyOrder(queries, latest);
      showToast({ tone: "plain", title: t("orders.replaceSent") });
      onDone();
    },
    onError: (failure) => {
      if (confirms) return;
      showToast({ tone: "bad", title: problemSentence(failure) });
      onDone();
    },
  });
  const sent = useRef(false);
  const { mutate } = moving;
  useEffect(() => {
    if (confirms || sent.current) return;
    sent.current = true;
    mutate();
  }, [confirms, mutate]);
  if (!confirms) return null;
  const title = t("ticket.cardTitle", {
    side: t(`ticket.${order.side}`),
    quantity: t("ticket.sharesWord", { quantity: formatQuantity(order.quantity) }),
    symbol: order.symbol,
  });
  const words = {
    title: t(`orders.terms.${field}`),
    before: formatPrice(movable.price, order.currency),
    after: formatPrice(price, order.currency),
  };
  return (
    <Confirm
      title={title}
      action={t("market.moveOrder")}
      pending={moving.isPending}
      failure={moving.error}
      onConfirm={mutate}
      onClose={onDone}
    >
      {t("market.moveOrderAsk", words)}
    </Confirm>
  );
}
