import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useAccounts } from "@/features/accounts/hooks/use-account";
import { ChartPanel } from "@/features/market/components/chart-panel";
import { Watchlist } from "@/features/market/components/watchlist";
import { useWatchlist } from "@/features/market/hooks/use-watchlist";
import { Books } from "./books";
import { TradingSide } from "./trading-side";
import { useIsStarting } from "./use-is-starting";

/**
 * The places of the rooms. Three columns on a wide screen (watchlist, chart over books, account and ticket), two on a
 * narrower one, and on a phone one below the other in the order of use: a newcomer's first steps before all. The books
 * scroll inside their place: the chart does not shrink when they grow.
 */
const PLACES = {
  grid: "md:grid-cols-[minmax(0,1fr)_20rem] md:grid-rows-[auto_auto_1fr] xl:grid-cols-[17rem_minmax(0,1fr)_20rem] xl:grid-rows-[minmax(26rem,1fr)_18rem]",
  watchlist: "max-md:max-h-64 md:col-start-2 md:row-start-3 xl:col-start-1 xl:row-span-2 xl:row-start-1",
  chart: "min-h-[26rem] min-w-0 md:col-start-1 md:row-start-1 md:row-span-2 xl:row-span-1 xl:col-start-2",
  trading: "md:col-start-2 md:row-span-2 md:row-start-1 xl:col-start-3",
  books: "max-h-[28rem] xl:max-h-none md:col-start-1 md:row-start-3 xl:col-start-2 xl:row-start-2",
};

/** The trader's desk: what one looks at while trading, on one page. */
export function DeskRoom() {
  const { t } = useTranslation();
  const { chosen: account } = useAccounts();
  const { chosen: symbol } = useWatchlist(account?.currency);
  const isStarting = useIsStarting();
  useShowTicketAfterStart(isStarting);
  return (
    <>
      <h1 className="sr-only">{t("header.desk")}</h1>
      <SectionBar hasBooks={account !== null} />
      <div className={`grid flex-1 grid-cols-1 gap-2 p-2 max-md:content-start ${PLACES.grid}`}>
        <Watchlist chosen={symbol} className={PLACES.watchlist} />
        {symbol !== null && <ChartPanel symbol={symbol} className={PLACES.chart} />}
        <div
          id="trading"
          className={`flex min-w-0 scroll-mt-12 flex-col gap-2 ${PLACES.trading} ${isStarting ? "max-md:order-first" : ""}`}
        >
          <TradingSide symbol={symbol} />
        </div>
        {account !== null && <Books accountId={account.id} className={PLACES.books} />}
      </div>
      <footer className="px-4 pb-2 text-center text-soft text-xs">
        <a href="https://www.tradingview.com/" target="_blank" rel="noreferrer" className="hover:underline">
          {t("app.chartCredit")}
        </a>
      </footer>
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
