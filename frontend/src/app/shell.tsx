import { Link, Outlet } from "@tanstack/react-router";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { HaltWarning } from "@/features/accounts/components/halt";
import { MarginCall } from "@/features/accounts/components/margin-call";
import { useAccounts } from "@/features/accounts/hooks/use-account";
import { useMargin } from "@/features/accounts/hooks/use-margin";
import { useEventStream } from "@/features/events/hooks/use-event-stream";
import { useWatchlist } from "@/features/market/hooks/use-watchlist";
import type { Account } from "@/lib/api/types";
import { useSession } from "@/lib/session";
import { Dialog } from "@/lib/ui/dialog";
import { Popover } from "@/lib/ui/popover";
import { useQuietMoment } from "@/lib/ui/use-quiet-moment";
import { ConnectionWarning } from "./connection-state";
import { Header } from "./header";
import { ROOMS } from "./rooms/names";
import { useTitle } from "./use-title";

/** What stands around every room: the head, the warnings, and on a phone the bar of rooms. */
export function Shell() {
  const user = useSession((state) => state.user);
  return user === null ? null : <SignedIn userId={user.id} />;
}

function SignedIn({ userId }: { userId: string }) {
  const { t } = useTranslation();
  useEventStream(userId);
  const { chosen: account } = useAccounts();
  const { chosen: symbol } = useWatchlist(account?.currency);
  useTitle(symbol);
  useWindowsReady();
  return (
    <div className="flex min-h-dvh flex-col max-md:pb-12 xl:h-dvh">
      <a href="#room" className="sr-only focus:not-sr-only focus:p-2">
        {t("app.skip")}
      </a>
      <Header symbol={symbol} accountId={account?.id ?? null} />
      <ConnectionWarning />
      {account !== null && <HaltWarning account={account} />}
      {account !== null && <CallOf account={account} />}
      <main id="room" className="flex flex-1 flex-col xl:min-h-0 xl:overflow-y-auto">
        <Outlet />
      </main>
      <PhoneBar />
    </div>
  );
}

/** Fetches the code of windows in the first quiet moment, so that the first of them opens at once, also without the server. */
function useWindowsReady(): void {
  const quiet = useQuietMoment();
  useEffect(() => {
    // Whoever opens one asks again, and says what is wrong.
    if (quiet) void Promise.all([Dialog.load(), Popover.load()]).catch(() => {});
  }, [quiet]);
}

/** An account that is called says so in every room. */
function CallOf({ account }: { account: Account }) {
  return <MarginCall margin={useMargin(account)} />;
}

function PhoneBar() {
  const { t } = useTranslation();
  return (
    <nav
      aria-label={t("header.roomsPhone")}
      className="fixed inset-x-0 bottom-0 z-20 flex border-line border-t bg-panel md:hidden"
    >
      {ROOMS.map(({ to, name }) => (
        <Link
          key={to}
          to={to}
          activeOptions={{ exact: true, includeSearch: false }}
          className="flex-1 border-transparent border-t-2 py-3.5 text-center text-soft text-xs"
          activeProps={{ className: "!border-accent !text-text font-semibold", "aria-current": "page" }}
        >
          {t(`header.${name}`)}
        </Link>
      ))}
    </nav>
  );
}
