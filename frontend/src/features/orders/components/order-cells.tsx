import { useTranslation } from "react-i18next";
import type { Order, Side } from "@/lib/api/types";
import { Decimal } from "@/lib/decimal";
import { formatPrice, formatQuantity, orDash } from "@/lib/format";
import { reasonSentence } from "@/lib/i18n/sentences";
import { isOpen } from "@/lib/order-lists";
import { Cell } from "@/lib/ui/table";

export function SideWord({ side }: { side: Side }) {
  const { t } = useTranslation();
  return <span className={side === "buy" ? "text-up" : "text-down"}>{t(`ticket.${side}`)}</span>;
}

/** What kind of order it is, with the prices it was given. */
export function OrderKind({ order }: { order: Order }) {
  const { t } = useTranslation();
  const words = (price: string | null | undefined) =>
    orDash(price, (known) => formatPrice(known, order.currency));
  const trail = order.trailPercent == null ? words(order.trailAmount) : `${order.trailPercent}%`;
  const stop = order.type === "trailing_stop" ? trail : words(order.stopPrice);
  const values = { limit: words(order.limitPrice), stop };
  return t(`orders.kind.${order.type}`, values);
}

/** How many shares it is for, and whether its broker has yet to say how many an amount of money is. */
export function OrderQuantity({ order }: { order: Pick<Order, "quantity" | "quantityEstimated"> }) {
  const { t } = useTranslation();
  const quantity = formatQuantity(order.quantity);
  return order.quantityEstimated ? t("orders.about", { quantity }) : quantity;
}

/** The first columns of every table of orders or fills. */
export function useOrderColumns() {
  const { t } = useTranslation();
  return [
    { label: t("orders.symbol"), words: true },
    { label: t("orders.side"), words: true },
  ];
}

/** The cells under them. */
export function OrderHead({ symbol, side }: { symbol: string; side: Side }) {
  return (
    <>
      <Cell words>
        <strong className="font-medium">{symbol}</strong>
      </Cell>
      <Cell words>
        <SideWord side={side} />
      </Cell>
    </>
  );
}

/** The order's state in one word, and whether the broker owes an answer; `brief` keeps it on one line. */
export function StateWord({ order, brief = false }: { order: Order; brief?: boolean }) {
  const { t } = useTranslation();
  const reason = !isOpen(order) || order.status === "SUSPENDED" ? reasonSentence(order) : null;
  const partly = order.state === "open" && new Decimal(order.filledQuantity).greaterThan(0);
  return (
    <span>
      {order.cancelRequested && (order.state === "open" || order.state === "pending")
        ? t("orders.cancelling")
        : t(partly ? "orders.state.partial" : `orders.state.${order.state}`)}
      {order.replacing != null && isOpen(order) && (
        <span className="ml-1 text-soft text-xs">{t("orders.replacing")}</span>
      )}
      {brief && reason !== null && (
        <span title={reason} className="ml-2 text-soft text-xs">
          {reason}
        </span>
      )}
      {!brief && reason !== null && (
        <span className="block min-w-44 max-w-60 whitespace-normal text-soft text-xs">{reason}</span>
      )}
      {order.unresolved && (
        <span className="ml-1 rounded bg-warn-wash px-1 text-warn" title={t("orders.unresolvedHelp")}>
          {t("orders.unresolved")}
        </span>
      )}
    </span>
  );
}
