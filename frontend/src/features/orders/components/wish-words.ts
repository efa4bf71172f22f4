import { useTranslation } from "react-i18next";
import type { Currency, PlaceOrder } from "@/lib/api/types";
import { formatMoney, formatPrice, formatQuantity } from "@/lib/format";
import type { Wish } from "../hooks/draft";

/** An order that was not sent yet, in words: what, and on which terms. */
export function useWishWords(wish: Wish, currency: Currency): { title: string; terms: string } {
  const { t, i18n } = useTranslation();
  const price = (text: string | null | undefined) => (text == null ? "" : formatPrice(text, currency));
  const kind = (order: PlaceOrder) => {
    const trail = order.trailPercent == null ? price(order.trailAmount) : `${order.trailPercent}%`;
    const values = { limit: price(order.limitPrice), stop: price(order.stopPrice) };
    return order.type === "trailing_stop"
      ? t("orders.kind.trailing_stop", { stop: trail })
      : t(`orders.kind.${order.type}`, values);
  };
  const { order } = wish;
  const time = order.timeInForce ?? "day";
  const until = time === "gtd" ? `${t("ticket.times.gtd")}: ${order.expireDate}` : t(`ticket.times.${time}`);
  const size =
    order.quantity == null
      ? formatMoney(order.notional ?? "0", currency)
      : t("ticket.sharesWord", { quantity: formatQuantity(order.quantity) });
  const words = { side: t(`ticket.${order.side}`), quantity: size, symbol: order.symbol };
  const title = t("ticket.cardTitle", words);
  if (wish.kind === "order") return { title, terms: `${kind(order)} · ${until}` };
  const entry = `${kind(order)} · ${until} · `;
  const { then } = wish.group;
  if (then != null) {
    const side = t(`ticket.${then.side ?? "sell"}`);
    const values = { limit: price(then.limitPrice), stop: price(then.stopPrice) };
    const what = t(`orders.kind.${then.stopPrice == null ? "limit" : "stop"}`, values);
    return { title, terms: `${entry}${t("ticket.cardThen", { side, kind: what })}` };
  }
  const exits = t("ticket.cardExits", {
    profit: price(wish.group.takeProfit?.limitPrice),
    loss: price(wish.group.stopLoss?.stopPrice),
  });
  const own = wish.group.kind === "bracket" ? entry : "";
  return { title, terms: `${own}${exits}${i18n.language === "ko" ? "" : "."}` };
}
