import { memo, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { DIRECTION_CLASS, directionOf, formatPercent, formatPrice } from "@/lib/format";
import { removeFromWatchlist, setPreferences } from "@/lib/preferences";
import { useQuotesStatus } from "@/lib/quotes/socket";
import { useQuote } from "@/lib/quotes/use-quote";
import { LoadFailure } from "@/lib/ui/notice";
import { Empty, Panel } from "@/lib/ui/panel";
import { PriceKindMark } from "@/lib/ui/price-kind-mark";
import { nameOf, useWatchlist } from "../hooks/use-watchlist";
import { SymbolSearch } from "./symbol-search";

/** The watched symbols with their live prices. */
export function Watchlist({ chosen, className }: { chosen: string | null; className?: string }) {
  const { t, i18n } = useTranslation();
  const { instruments, bySymbol, symbols } = useWatchlist();
  return (
    <Panel title={t("market.watchlist")} className={className ?? ""} id="watchlist">
      <div className="px-3 pb-2">
        <SymbolSearch instruments={instruments.data ?? []} watched={symbols} />
      </div>
      {instruments.isError && (
        <LoadFailure failure={instruments.error} onRetry={() => instruments.refetch()} />
      )}
      {instruments.isSuccess && symbols.length === 0 && <Empty>{t("market.empty")}</Empty>}
      <ul className="min-h-0 flex-1 overflow-y-auto pb-1">
        {symbols.map((symbol) => (
          <Row
            key={symbol}
            symbol={symbol}
            name={nameOf(bySymbol.get(symbol), i18n.language)}
            listedAsSimulated={bySymbol.get(symbol)?.simulated ?? false}
            chosen={symbol === chosen}
            watched={symbols}
          />
        ))}
      </ul>
    </Panel>
  );
}

interface RowProps {
  symbol: string;
  name: string;
  /** What the list of symbols says, until a price says it itself. */
  listedAsSimulated: boolean;
  chosen: boolean;
  watched: readonly string[];
}

const Row = memo(function Row({ symbol, name, listedAsSimulated, chosen, watched }: RowProps) {
  const { t } = useTranslation();
  return (
    <li className={`group relative flex items-stretch ${chosen ? "bg-accent-wash" : "hover:bg-raised"}`}>
      <button
        type="button"
        aria-current={chosen ? "true" : undefined}
        className="flex min-w-0 flex-1 items-center justify-between gap-3 py-1.5 pl-3 text-left"
        onClick={() => setPreferences({ symbol })}
      >
        <span className="min-w-0">
          <span className="flex items-center gap-1.5 font-medium">
            {symbol}
            <SimulatedMark symbol={symbol} listed={listedAsSimulated} />
          </span>
          <span className="block truncate text-soft text-xs">{name}</span>
        </span>
        <PriceCell symbol={symbol} />
      </button>
      <button
        type="button"
        aria-label={t("market.remove", { symbol })}
        className="w-7 shrink-0 text-soft text-xs opacity-0 hover:text-bad focus-visible:opacity-100 group-hover:opacity-100 pointer-coarse:opacity-60"
        onClick={() => removeFromWatchlist(watched, symbol)}
      >
        <span aria-hidden="true">✕</span>
      </button>
    </li>
  );
});

/** Marks a row whose price is invented. */
function SimulatedMark({ symbol, listed }: { symbol: string; listed: boolean }) {
  const simulated = useQuote(symbol)?.simulated ?? listed;
  return simulated ? <PriceKindMark kind="simulated" /> : null;
}

/** Renders by itself when its symbol's price changes, and flashes in the direction of the change. */
function PriceCell({ symbol }: { symbol: string }) {
  const { t } = useTranslation();
  const quote = useQuote(symbol);
  const stale = useQuotesStatus((state) => state.status !== "open");
  const cell = useRef<HTMLSpanElement>(null);
  const before = useRef<string | undefined>(undefined);
  const price = quote?.price;
  useEffect(() => {
    const last = before.current;
    before.current = price;
    if (last === undefined || price === undefined || last === price) return;
    const name = Number(price) > Number(last) ? "tick-up" : "tick-down";
    cell.current?.classList.remove("tick-up", "tick-down");
    // Reading a measure restarts the animation.
    void cell.current?.offsetWidth;
    cell.current?.classList.add(name);
  }, [price]);
  if (quote === undefined) return <span className="text-soft text-xs">{t("market.noPrice")}</span>;
  return (
    <span className={`shrink-0 text-right ${stale ? "opacity-45" : ""}`}>
      <span ref={cell} className="block rounded px-1 font-medium" data-testid={`price-${symbol}`}>
        {formatPrice(quote.price, quote.currency)}
      </span>
      <span className={`block px-1 text-xs ${DIRECTION_CLASS[directionOf(quote.changePercent)]}`}>
        {quote.changePercent === null ? "–" : formatPercent(quote.changePercent)}
      </span>
    </span>
  );
}
