import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Currency } from "@/lib/api/types";
import { DIRECTION_CLASS, type Direction, formatClock, formatPrice, formatQuantity } from "@/lib/format";
import type { Trade } from "@/lib/quotes/trades";
import { useTape } from "@/lib/quotes/use-quote";

/** Trades shown at once; the list is looked at, not read. */
const TRADES_SHOWN = 20;

const DIRECTIONS: Record<Trade["direction"], Direction> = { [-1]: "down", 0: "flat", 1: "up" };

interface Props {
  symbol: string;
  currency: Currency;
  /** Stands here until there is a trade. */
  none: ReactNode;
}

/** What changed hands lately, the newest first. */
export function LastTrades({ symbol, currency, none }: Props) {
  const { t, i18n } = useTranslation();
  const trades = useTape(symbol)?.trades ?? [];
  if (trades.length === 0) return none;
  return (
    <table aria-label={t("market.trades")} className="w-full text-xs">
      <thead className="sr-only">
        <tr>
          <th scope="col">{t("orders.time")}</th>
          <th scope="col">{t("market.last")}</th>
          <th scope="col">{t("orders.quantity")}</th>
        </tr>
      </thead>
      <tbody>
        {trades.slice(0, TRADES_SHOWN).map((trade) => (
          <tr key={trade.sequence} className="border-line/40 border-t">
            <td className="px-3 py-0.5 text-soft">{formatClock(trade.at, i18n.language)}</td>
            <td className={`px-1 text-right ${DIRECTION_CLASS[DIRECTIONS[trade.direction]]}`}>
              {formatPrice(trade.price, currency)}
            </td>
            <td className="px-3 text-right">{formatQuantity(String(trade.shares))}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
