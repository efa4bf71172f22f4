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

/** The trader's desk: everything on one page. */
export function Desk({ user }: { user: User }) {
  const { t } = useTranslation();
  useEventStream(user.id);
  const { chosen: symbol } = useWatchlist();
  const { chosen: account } = useAccounts();
  return (
    <div className="flex min-h-dvh flex-col">
      <a href="#ticket" className="sr-only focus:not-sr-only focus:p-2">
        {t("app.skip")}
      </a>
      <Header symbol={symbol} email={user.email} />
      <ConnectionWarning />
      <main className="grid flex-1 gap-2 p-2 md:grid-cols-[minmax(0,1fr)_20rem] xl:grid-cols-[17rem_minmax(0,1fr)_20rem]">
        <Watchlist className="max-md:max-h-72 max-md:order-1 md:col-start-2 md:row-start-2 xl:col-start-1 xl:row-span-2 xl:row-start-1" />
        <div className="order-2 flex min-w-0 flex-col gap-2 md:col-start-1 md:row-span-2 md:row-start-1 xl:col-start-2">
          {symbol !== null && <ChartPanel symbol={symbol} className="min-h-[26rem] flex-1" />}
          {account !== null && <Books accountId={account.id} />}
        </div>
        <div className="order-1 flex min-w-0 flex-col gap-2 md:col-start-2 md:row-start-1 xl:col-start-3 xl:row-span-2">
          <TradingSide symbol={symbol} />
        </div>
      </main>
      <footer className="px-4 pb-3 text-center text-soft text-xs">
        <a href="https://www.tradingview.com/" target="_blank" rel="noreferrer" className="hover:underline">
          {t("app.chartCredit")}
        </a>
      </footer>
    </div>
  );
}
