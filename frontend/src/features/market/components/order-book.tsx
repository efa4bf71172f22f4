import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { components } from "@/lib/api/schema";
import type { Currency } from "@/lib/api/types";
import { formatPrice, formatQuantity } from "@/lib/format";
import { askForPrice } from "@/lib/ticket-wish";
import { Panel } from "@/lib/ui/panel";
import { PriceKindMark } from "@/lib/ui/price-kind-mark";
import { orderBookQuery } from "../api/directory";

type Level = components["schemas"]["Level"];

/** Prices shown on each side. */
const LEVELS_SHOWN = 5;

/** What is wanted and offered, where the share's source tells; elsewhere nothing stands here. */
export function OrderBook({ symbol, className }: { symbol: string; className?: string }) {
  const { t } = useTranslation();
  const book = useQuery(orderBookQuery(symbol));
  if (book.data == null) return null;
  const { asks, bids, currency, simulated } = book.data;
  const shownAsks = asks.slice(0, LEVELS_SHOWN).reverse();
  const shownBids = bids.slice(0, LEVELS_SHOWN);
  const most = Math.max(1, ...[...shownAsks, ...shownBids].map(({ quantity }) => quantity));
  const stale = book.isError || book.isPlaceholderData;
  return (
    <Panel
      title={t("market.book")}
      actions={simulated ? <PriceKindMark kind="simulated" /> : undefined}
      id="order-book"
      className={className ?? ""}
    >
      <table aria-label={t("market.book")} className={`w-full text-xs ${stale ? "opacity-45" : ""}`}>
        <thead className="sr-only">
          <tr>
            <th scope="col">{t("market.last")}</th>
            <th scope="col">{t("orders.quantity")}</th>
          </tr>
        </thead>
        <tbody>
          {shownAsks.map((level) => (
            <LevelRow key={`ask ${level.price}`} level={level} side="ask" most={most} currency={currency} />
          ))}
          {shownBids.map((level) => (
            <LevelRow key={`bid ${level.price}`} level={level} side="bid" most={most} currency={currency} />
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

interface RowProps {
  level: Level;
  side: "ask" | "bid";
  most: number;
  currency: Currency;
}

/** A price and its shares; pressed, it becomes the limit of the ticket. */
function LevelRow({ level, side, most, currency }: RowProps) {
  const { t } = useTranslation();
  const colour = side === "ask" ? "text-down" : "text-up";
  const fill = side === "ask" ? "bg-down/15" : "bg-up/15";
  return (
    <tr className="border-line/40 border-t hover:bg-raised">
      <td className="w-1/2 px-3">
        <button
          type="button"
          className={`w-full py-0.5 text-left ${colour}`}
          aria-label={t("market.takePrice", { price: formatPrice(level.price, currency) })}
          onClick={() => askForPrice(level.price)}
        >
          {formatPrice(level.price, currency)}
        </button>
      </td>
      <td className="relative px-3 text-right">
        <span
          aria-hidden="true"
          className={`absolute inset-y-0.5 right-0 ${fill}`}
          style={{ width: `${Math.round((level.quantity / most) * 100)}%` }}
        />
        <span className="relative">{formatQuantity(String(level.quantity))}</span>
      </td>
    </tr>
  );
}
