import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useAccounts } from "@/features/accounts/hooks/use-account";
import { ChartPanel } from "@/features/market/components/chart-panel";
import { Depth } from "@/features/market/components/depth";
import { Watchlist } from "@/features/market/components/watchlist";
import { useWatchlist } from "@/features/market/hooks/use-watchlist";
import { MoveOrder } from "@/features/orders/components/move-order";
import type { Movable } from "@/features/orders/hooks/movable";
import { FIRST_LAYOUT, type Layout, setPreferences, usePreferences } from "@/lib/preferences";
import { randomUuid } from "@/lib/random";
import { Splitter } from "@/lib/ui/splitter";
import { Books } from "./books";
import { TradingSide } from "./trading-side";
import { useChartOverlays, useMovables } from "./use-chart-overlays";
import { useIsStarting } from "./use-is-starting";

/**
 * The places of the parts. On a wide screen three columns that fill it (watchlist, chart over books, account and ticket)
 * and are resized by the lines between them; on a narrower one two; on a phone one below the other in the order of use: a
 * newcomer's first steps before all. `contents` lets the columns vanish where there are none.
 */
const PLACES = {
  grid: "md:grid-cols-[minmax(0,1fr)_20rem] md:grid-rows-[auto_auto_auto_1fr] xl:min-h-[36rem] xl:grid-cols-[var(--left)_minmax(0,1fr)_var(--right)] xl:grid-rows-[minmax(0,1fr)]",
  column: "contents xl:relative xl:flex xl:min-h-0 xl:min-w-0 xl:flex-col xl:gap-2",
  watchlist: "max-xl:max-h-72 md:max-xl:col-start-2 md:max-xl:row-start-3 xl:flex-1",
  depth: "max-md:order-1 md:max-xl:col-start-2 md:max-xl:row-start-4",
  chart:
    "min-h-[26rem] min-w-0 md:max-xl:col-start-1 md:max-xl:row-span-2 md:max-xl:row-start-1 xl:min-h-0 xl:flex-1",
  trading:
    "md:max-xl:col-start-2 md:max-xl:row-span-2 md:max-xl:row-start-1 xl:min-h-0 xl:flex-1 xl:overflow-y-auto",
  books:
    "max-md:order-2 max-xl:max-h-[28rem] md:max-xl:col-start-1 md:max-xl:row-span-2 md:max-xl:row-start-3",
};

/** How small and how large the parts may be made, in pixels. */
const LAYOUT_LIMITS = { watchlist: [220, 480], trading: [280, 480], books: [120, 600] } as const;

/** The trader's desk: what one looks at while trading, on one page. */
export function DeskRoom() {
  const { t } = useTranslation();
  const { chosen: account } = useAccounts();
  const { chosen: symbol } = useWatchlist(account?.currency);
  const isStarting = useIsStarting();
  useShowTicketAfterStart(isStarting);
  const layout = usePreferences((state) => state.layout);
  const sizes = {
    "--left": `${layout.watchlist}px`,
    "--right": `${layout.trading}px`,
    "--books": `${layout.books}px`,
  } as React.CSSProperties;
  return (
    <>
      <h1 className="sr-only">{t("header.desk")}</h1>
      <SectionBar hasBooks={account !== null} />
      <div
        style={sizes}
        className={`grid flex-1 grid-cols-1 gap-2 p-2 max-md:content-start xl:min-h-0 ${PLACES.grid}`}
      >
        <div className={PLACES.column}>
          <Watchlist chosen={symbol} className={PLACES.watchlist} />
          {symbol !== null && <Depth key={symbol} symbol={symbol} className={PLACES.depth} />}
          <Divider part="watchlist" between="column" direction={1} className="top-0 -right-2 h-full" />
        </div>
        <div className={PLACES.column}>
          {symbol !== null && <Chart symbol={symbol} accountId={account?.id ?? null} />}
          {account !== null && (
            <div className="contents xl:relative xl:block xl:h-[var(--books)] xl:shrink-0">
              <Divider part="books" between="row" direction={-1} className="-top-2 left-0 w-full" />
              <Books accountId={account.id} className={`xl:h-full ${PLACES.books}`} />
            </div>
          )}
        </div>
        <div className={PLACES.column}>
          <Divider part="trading" between="column" direction={-1} className="top-0 -left-2 h-full" />
          <div
            id="trading"
            className={`flex min-w-0 scroll-mt-12 flex-col gap-2 ${PLACES.trading} ${isStarting ? "max-md:order-first" : ""}`}
          >
            <TradingSide symbol={symbol} />
          </div>
        </div>
      </div>
      <footer className="px-4 pb-1.5 text-center text-[11px] text-soft">
        <a href="https://www.tradingview.com/" target="_blank" rel="noreferrer" className="hover:underline">
          {t("app.chartCredit")}
        </a>
      </footer>
    </>
  );
}

interface DividerProps {
  part: keyof Layout;
  between: "column" | "row";
  direction: 1 | -1;
  className: string;
}

/** A line of the wide desk that resizes the part it stands at. */
function Divider({ part, between, direction, className }: DividerProps) {
  const { t } = useTranslation();
  const value = usePreferences((state) => state.layout[part]);
  const set = (size: number) => setPreferences(({ layout }) => ({ layout: { ...layout, [part]: size } }));
  const [min, max] = LAYOUT_LIMITS[part];
  return (
    <Splitter
      label={t(`header.resize.${part}`)}
      between={between}
      value={value}
      min={min}
      max={max}
      direction={direction}
      onChange={set}
      onReset={() => set(FIRST_LAYOUT[part])}
      className={`absolute z-10 hidden xl:block ${className}`}
    />
  );
}

/** The chart with the account's own orders and shares in it. */
function Chart({ symbol, accountId }: { symbol: string; accountId: string | null }) {
  const movables = useMovables(accountId, symbol);
  const { lines, fills } = useChartOverlays(accountId, symbol, movables);
  const [move, setMove] = useState<{ id: string; movable: Movable; price: string } | null>(null);
  const onMoved = (id: string, price: string) => {
    const movable = movables.get(id);
    if (movable !== undefined) setMove({ id: randomUuid(), movable, price });
  };
  return (
    <>
      <ChartPanel symbol={symbol} lines={lines} fills={fills} onMoved={onMoved} className={PLACES.chart} />
      {move !== null && (
        <MoveOrder
          key={move.id}
          id={move.id}
          movable={move.movable}
          price={move.price}
          onDone={() => setMove((shown) => (shown?.id === move.id ? null : shown))}
        />
      )}
    </>
  );
}

/** When the first steps are done, their place gives way to the ticket, further down on a phone: follow it there. */
function useShowTicketAfterStart(isStarting: boolean): void {
  const wasStarting = useRef(false);
  useEffect(() => {
    if (wasStarting.current && !isStarting) document.getElementById("trading")?.scrollIntoView();
    wasStarting.current = isStarting;
  }, [isStarting]);
}

/** On a phone the parts of the desk stand one below the other; this bar jumps to each. */
function SectionBar({ hasBooks }: { hasBooks: boolean }) {
  const { t } = useTranslation();
  const places = [
    ["trading", t("ticket.title")],
    ["chart", t("market.chartShort")],
    ["watchlist", t("market.watchlist")],
    ...(hasBooks ? [["books", t("portfolio.title")] as const] : []),
  ] as const;
  return (
    <nav
      aria-label={t("header.sections")}
      className="sticky top-0 z-10 flex gap-1 border-line border-b bg-panel px-2 py-1.5 md:hidden"
    >
      {places.map(([place, label]) => (
        <button
          key={place}
          type="button"
          className="flex-1 rounded-full border border-line px-2 py-1 text-soft text-xs"
          onClick={() => document.getElementById(place)?.scrollIntoView()}
        >
          {label}
        </button>
      ))}
    </nav>
  );
}
