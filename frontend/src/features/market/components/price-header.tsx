import { useTranslation } from "react-i18next";
import {
  DIRECTION_CLASS,
  directionOf,
  formatGain,
  formatPercent,
  formatPrice,
  formatQuantity,
} from "@/lib/format";
import { priceKind } from "@/lib/quotes/quote";
import { useQuotesStatus } from "@/lib/quotes/socket";
import { useQuote } from "@/lib/quotes/use-quote";
import { PriceKindMark } from "@/lib/ui/price-kind-mark";
import { headOf, nameOf, useWatchlist } from "../hooks/use-watchlist";

/** The chosen symbol: its name, its price now, and its day. */
export function PriceHeader({ symbol }: { symbol: string }) {
  const { t, i18n } = useTranslation();
  const { bySymbol } = useWatchlist();
  const quote = useQuote(symbol);
  const stale = useQuotesStatus((state) => state.status !== "open");
  const kind = quote && priceKind(quote);
  const [title, subtitle] = headOf(symbol, nameOf(bySymbol.get(symbol), i18n.language), i18n.language);
  return (
    <div className="px-3 pt-3">
      <div className="min-w-0">
        <p className="flex items-center gap-2 text-soft text-xs">
          <span className="truncate">{subtitle}</span>
          {kind !== undefined && <PriceKindMark kind={kind} />}
        </p>
        <p className="flex flex-wrap items-baseline gap-x-3">
          <strong className="font-semibold text-lg">{title}</strong>
          {quote === undefined ? (
            <span className="text-soft">{t("market.noPrice")}</span>
          ) : (
            <span className={stale ? "opacity-45" : ""}>
              <span className="font-semibold text-2xl">{formatPrice(quote.price, quote.currency)}</span>
              <span className="ml-1 text-soft text-xs">{quote.currency}</span>
              {quote.change !== null && quote.changePercent !== null && (
                <span className={`ml-3 ${DIRECTION_CLASS[directionOf(quote.change)]}`}>
                  {formatGain(quote.change, quote.currency)} ({formatPercent(quote.changePercent)})
                </span>
              )}
            </span>
          )}
        </p>
      </div>
      {quote !== undefined && (
        <dl className={`mt-2 flex flex-wrap gap-x-5 gap-y-1 text-xs ${stale ? "opacity-45" : ""}`}>
          {quote.bid !== null && (
            <Figure label={t("market.bid")} value={formatPrice(quote.bid, quote.currency)} />
          )}
          {quote.ask !== null && (
            <Figure label={t("market.ask")} value={formatPrice(quote.ask, quote.currency)} />
          )}
          <Figure label={t("market.open")} value={formatPrice(quote.open, quote.currency)} />
          <Figure label={t("market.high")} value={formatPrice(quote.high, quote.currency)} />
          <Figure label={t("market.low")} value={formatPrice(quote.low, quote.currency)} />
          {quote.previousClose !== null && (
            <Figure
              label={t("market.previousClose")}
              value={formatPrice(quote.previousClose, quote.currency)}
            />
          )}
          <Figure label={t("market.volume")} value={formatQuantity(String(quote.volume))} />
          <Figure label={t("market.session")} value={quote.sessionDate} />
        </dl>
      )}
    </div>
  );
}

function Figure({ label, value }: { label: string; value: string }) {
  return (
    <div>
      <dt className="text-soft">{label}</dt>
      <dd>{value}</dd>
    </div>
  );
}
