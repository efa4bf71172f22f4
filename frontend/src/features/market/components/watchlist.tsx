import { memo, type RefObject, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { moveInWatchlist, removeFromWatchlist, setPreferences } from "@/lib/preferences";
import { quotes } from "@/lib/quotes/socket";
import { useQuotesText } from "@/lib/quotes/use-quote";
import { useShortcuts } from "@/lib/shortcuts";
import { LoadFailure } from "@/lib/ui/notice";
import { Empty, Panel } from "@/lib/ui/panel";
import { PriceKindMark } from "@/lib/ui/price-kind-mark";
import { useQuietMoment } from "@/lib/ui/use-quiet-moment";
import { useWindowRows } from "@/lib/ui/use-window-rows";
import { changeWatchlists } from "../hooks/forget";
import { useRowDrag } from "../hooks/use-row-drag";
import { headOf, nameOf, useWatchlist } from "../hooks/use-watchlist";
import { PriceCell } from "./price-cell";
import { Sparkline } from "./sparkline";
import { SymbolSearch } from "./symbol-search";
import { WatchlistChoice } from "./watchlist-choice";

/** Height of a row, in pixels; the list counts with it. */
const ROW_HEIGHT = 48;

/** Keeps the prices of the whole list coming, also of rows that are scrolled away: what appears has its price at once. */
function useListedQuotes(symbols: readonly string[]): void {
  useEffect(() => quotes.keep(symbols), [symbols]);
}

/** J and K go to the next share of the list and to the one before, as far as there are any, and bring its row into sight. */
function useSteps(
  symbols: readonly string[],
  chosen: string | null,
  place: RefObject<HTMLDivElement | null>,
): void {
  const step = (by: 1 | -1) => {
    const index = chosen === null ? 0 : symbols.indexOf(chosen) + by;
    const symbol = symbols[index];
    if (symbol === undefined) return;
    setPreferences({ symbol });
    showRow(place.current, index);
  };
  useShortcuts({ j: () => step(1), k: () => step(-1) });
}

function showRow(place: HTMLElement | null, index: number): void {
  if (place === null) return;
  const [top, bottom] = [index * ROW_HEIGHT, (index + 1) * ROW_HEIGHT];
  if (top < place.scrollTop) place.scrollTop = top;
  else if (bottom > place.scrollTop + place.clientHeight) place.scrollTop = bottom - place.clientHeight;
}

/** The watched symbols with their live prices. */
export function Watchlist({ chosen, className }: { chosen: string | null; className?: string }) {
  const { t, i18n } = useTranslation();
  const { instruments, bySymbol, symbols } = useWatchlist();
  const place = useRef<HTMLDivElement>(null);
  const rows = useWindowRows(place, symbols.length, ROW_HEIGHT);
  const quiet = useQuietMoment();
  useListedQuotes(symbols);
  useSteps(symbols, chosen, place);
  return (
    <Panel
      title={t("market.watchlist")}
      className={`min-h-0 ${className ?? ""}`}
      id="watchlist"
      actions={<WatchlistChoice />}
    >
      <div className="px-3 pb-2">
        <SymbolSearch instruments={instruments.data ?? []} watched={symbols} />
      </div>
      {instruments.isError && (
        <LoadFailure failure={instruments.error} onRetry={() => instruments.refetch()} />
      )}
      {instruments.isSuccess && symbols.length === 0 && <Empty>{t("market.empty")}</Empty>}
      <div ref={place} className="min-h-0 flex-1 overflow-y-auto pb-1">
        <ul style={{ paddingTop: rows.before, paddingBottom: rows.after }}>
          {symbols.slice(rows.first, rows.end).map((symbol) => (
            <Row
              key={symbol}
              symbol={symbol}
              name={nameOf(bySymbol.get(symbol), i18n.language)}
              listedAsSimulated={bySymbol.get(symbol)?.simulated ?? false}
              chosen={symbol === chosen}
              watched={symbols}
              quiet={quiet}
            />
          ))}
        </ul>
      </div>
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
  /** Whether the first screen stands, and there is time for pictures. */
  quiet: boolean;
}

const Row = memo(function Row({ symbol, name, listedAsSimulated, chosen, watched, quiet }: RowProps) {
  const { t, i18n } = useTranslation();
  const [title, subtitle] = headOf(symbol, name, i18n.language);
  const drag = useRowDrag((to) => moveInWatchlist(watched, symbol, to), watched.indexOf(symbol), ROW_HEIGHT);
  return (
    <li
      className={`group relative flex h-12 items-stretch contain-strict ${chosen ? "bg-accent-wash" : "hover:bg-raised"} ${drag.dragging ? "opacity-50" : ""}`}
    >
      <button
        type="button"
        aria-label={t("market.move", { symbol })}
        className="w-3 shrink-0 cursor-grab touch-none pointer-coarse:w-5 text-line opacity-0 focus-visible:opacity-100 group-hover:opacity-100 pointer-coarse:opacity-60"
        {...drag.handle}
      >
        <span aria-hidden="true">⋮</span>
      </button>
      <button
        type="button"
        aria-current={chosen ? "true" : undefined}
        className="flex min-w-0 flex-1 items-center justify-between gap-2 text-left"
        onClick={() => setPreferences({ symbol })}
      >
        <span className="min-w-0">
          <span className="flex items-baseline gap-1">
            <span className="truncate font-medium">{title}</span>
            <SimulatedMark symbol={symbol} listed={listedAsSimulated} />
          </span>
          <span className="block truncate text-soft text-xs">{subtitle}</span>
        </span>
        <span className="flex shrink-0 items-center gap-1">
          {quiet && <Sparkline symbol={symbol} />}
          <PriceCell symbol={symbol} />
        </span>
      </button>
      <button
        type="button"
        aria-label={t("market.remove", { symbol })}
        className="w-5 shrink-0 text-soft text-xs pointer-coarse:w-7 opacity-0 hover:text-bad focus-visible:opacity-100 group-hover:opacity-100 pointer-coarse:opacity-60"
        onClick={() =>
          changeWatchlists(t("market.removed", { symbol }), () => removeFromWatchlist(watched, symbol))
        }
      >
        <span aria-hidden="true">✕</span>
      </button>
    </li>
  );
});

/** Marks a row whose price is invented; renders again only when that changes. */
function SimulatedMark({ symbol, listed }: { symbol: string; listed: boolean }) {
  const simulated = useQuotesText([symbol], () => String(quotes.get(symbol)?.simulated ?? listed)) === "true";
  return simulated ? <PriceKindMark kind="simulated" small /> : null;
}
