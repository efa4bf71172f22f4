import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useAccounts } from "@/features/accounts/hooks/use-account";
import { useEventStream } from "@/features/events/hooks/use-event-stream";
import { ChartPanel } from "@/features/market/components/chart-panel";
import { Watchlist } from "@/features/market/components/watchlist";
import { useWatchlist } from "@/features/market/hooks/use-watchlist";
import type { User } from "@/lib/api/types";
import { Books } from "./books";
import { ConnectionWarning } from "./connection-state";
import { Header } from "./header";
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

/** The trader's desk: everything on one page. */
export function Desk({ user }: { user: User }) {
  const { t } = useTranslation();
  useEventStream(user.id);
  const { chosen: account } = useAccounts();
  const { chosen: symbol } = useWatchlist(account?.currency);
  const isStarting = useIsStarting();
  useShowTicketAfterStart(isStarting);
  return (
    <div className="flex min-h-dvh flex-col max-md:pb-12">
      <a href="#trading" className="sr-only focus:not-sr-only focus:p-2">
        {t("app.skip")}
      </a>
      <Header symbol={symbol} user={user} />
      <ConnectionWarning />
      <main className={`grid flex-1 grid-cols-1 gap-2 p-2 max-md:content-start ${PLACES.grid}`}>
        <h1 className="sr-only">{t("app.name")}</h1>
        <Watchlist chosen={symbol} className={PLACES.watchlist} />
        {symbol !== null && <ChartPanel symbol={symbol} className={PLACES.chart} />}
        <div
          id="trading"
          className={`flex min-w-0 scroll-mt-2 flex-col gap-2 ${PLACES.trading} ${isStarting ? "max-md:order-first" : ""}`}
        >
          <TradingSide symbol={symbol} />
        </div>
        {account !== null && <Books accountId={account.id} className={PLACES.books} />}
      </main>
      <footer className="px-4 pb-3 text-center text-soft text-xs">
        <a href="https://www.tradingview.com/" target="_blank" rel="noreferrer" className="hover:underline">
          {t("app.chartCredit")}
        </a>
      </footer>
      <PhoneBar hasBooks={account !== null} />
    </div>
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

/** On a phone the rooms stand one below the other; this bar jumps to each. */
function PhoneBar({ hasBooks }: { hasBooks: boolean }) {
  const { t } = useTranslation();
  const places = [
    ["#watchlist", t("market.watchlist")],
    ["#chart", t("market.chartShort")],
    ["#trading", t("ticket.title")],
    ...(hasBooks ? [["#books", t("portfolio.title")]] : []),
  ];
  return (
    <nav
      aria-label={t("header.sections")}
      className="fixed inset-x-0 bottom-0 z-20 flex border-line border-t bg-panel md:hidden"
    >
      {places.map(([place, label]) => (
        <a key={place} href={place} className="flex-1 py-3.5 text-center text-soft text-xs hover:text-text">
          {label}
        </a>
      ))}
    </nav>
  );
}
