import { useTranslation } from "react-i18next";
import type { Currency } from "@/lib/api/types";
import { formatPrice, formatQuantity } from "@/lib/format";
import type { Level } from "@/lib/quotes/order-book";
import { useOrderBook } from "@/lib/quotes/use-quote";
import { askTicket } from "@/lib/ticket-wish";

/** Prices shown on each side. */
const LEVELS_SHOWN = 5;

/** What is wanted and offered of a share, where its source tells. */
export function OrderBook({ symbol }: { symbol: string }) {
  const { t } = useTranslation();
  const book = useOrderBook(symbol);
  if (book === undefined) return null;
  const { currency } = book;
  const asks = book.asks.slice(0, LEVELS_SHOWN).reverse();
  const bids = book.bids.slice(0, LEVELS_SHOWN);
  const most = Math.max(1, ...[...asks, ...bids].map(({ quantity }) => quantity));
  const shared = { symbol, most, currency };
  return (
    <table aria-label={t("market.book")} className="w-full text-xs">
      <thead className="sr-only">
        <tr>
          <th scope="col">{t("market.last")}</th>
          <th scope="col">{t("orders.quantity")}</th>
        </tr>
      </thead>
      <tbody>
        {asks.map((level) => (
          <LevelRow key={`ask ${level.price}`} {...shared} level={level} side="ask" />
        ))}
        {bids.map((level) => (
          <LevelRow key={`bid ${level.price}`} {...shared} level={level} side="bid" />
        ))}
      </tbody>
    </table>
  );
}

interface RowProps {
  symbol: string;
  level: Level;
  side: "ask" | "bid";
  most: number;
  currency: Currency;
}

/** A price and its shares; pressed, it becomes the limit of the ticket. */
function LevelRow({ symbol, level, side, most, currency }: RowProps) {
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
          onClick={() => askTicket({ symbol, price: level.price })}
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
