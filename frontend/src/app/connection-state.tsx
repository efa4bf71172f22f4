import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { BrokerMark } from "@/features/accounts/components/broker-mark";
import { MarketClock } from "@/features/market/components/market-clock";
import { useUnresolvedCount } from "@/features/orders/components/open-orders";
import { useEventsStatus } from "@/lib/events-status";
import { type PriceKind, priceKind } from "@/lib/quotes/quote";
import { useQuotesStatus } from "@/lib/quotes/socket";
import { useQuote } from "@/lib/quotes/use-quote";

const CLOCK_MS = 1_000;

interface PriceState {
  kind: PriceKind | "waiting";
  ageSeconds: number | null;
}

/** The newest quote's kind and age: the age must grow also when nothing arrives. */
function usePriceState(symbol: string | null): PriceState {
  const quote = useQuote(symbol);
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), CLOCK_MS);
    return () => clearInterval(timer);
  }, []);
  if (quote === undefined) return { kind: "waiting", ageSeconds: null };
  const ageSeconds = Math.max(0, Math.floor((now - Date.parse(quote.time)) / 1000));
  return { kind: priceKind(quote), ageSeconds };
}

function useAge(seconds: number | null): string {
  const { t } = useTranslation();
  if (seconds === null) return "";
  if (seconds < 2) return t("status.now");
  if (seconds < 60) return t("status.ageSeconds", { count: seconds });
  if (seconds < 3600) return t("status.ageMinutes", { count: Math.floor(seconds / 60) });
  return t("status.ageHours", { count: Math.floor(seconds / 3600) });
}

const DOTS = { good: "bg-accent", warn: "bg-warn", off: "bg-soft" };

function Mark({
  tone,
  title,
  children,
}: {
  tone: keyof typeof DOTS;
  title?: string;
  children: React.ReactNode;
}) {
  return (
    <span title={title} className="inline-flex items-center gap-1.5 whitespace-nowrap">
      <span aria-hidden="true" className={`size-2 rounded-full ${DOTS[tone]}`} />
      {children}
    </span>
  );
}

/** Always visible: whether prices and orders arrive, what kind of prices and how old, the market, the broker, what is open. */
export function ConnectionState({ symbol, accountId }: { symbol: string | null; accountId: string | null }) {
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-xs max-sm:order-last max-sm:basis-full min-[90rem]:gap-x-4">
      <PricesMark symbol={symbol} />
      <OrdersMark />
      <MarketClock symbol={symbol} />
      {accountId !== null && <BrokerMark accountId={accountId} />}
      {accountId !== null && <Unresolved accountId={accountId} />}
    </div>
  );
}

/** Renders with every price of the symbol, and nothing around it does. */
function PricesMark({ symbol }: { symbol: string | null }) {
  const { t } = useTranslation();
  const quotesStatus = useQuotesStatus((state) => state.status);
  const { kind, ageSeconds } = usePriceState(symbol);
  const age = useAge(ageSeconds);
  const pricesOpen = quotesStatus === "open";
  const help = kind === "waiting" ? undefined : t(`status.${kind}Help`);
  return (
    <Mark tone={!pricesOpen ? "warn" : kind === "waiting" ? "off" : "good"} {...(help && { title: help })}>
      <span className="text-soft max-sm:hidden">{t("status.prices")}</span>
      <span data-testid="price-state">{t(`status.${pricesOpen ? kind : quotesStatus}`)}</span>
      <span className="text-soft min-[90rem]:min-w-14">{age}</span>
    </Mark>
  );
}

function OrdersMark() {
  const { t } = useTranslation();
  const eventsStatus = useEventsStatus((state) => state.status);
  const eventsOpen = eventsStatus === "open";
  return (
    <Mark tone={eventsOpen ? "good" : "warn"}>
      <span className="text-soft max-sm:hidden">{t("status.orders")}</span>
      <span data-testid="events-state">{t(eventsOpen ? "status.connected" : `status.${eventsStatus}`)}</span>
    </Mark>
  );
}

function Unresolved({ accountId }: { accountId: string }) {
  const { t } = useTranslation();
  const count = useUnresolvedCount(accountId);
  if (count === 0) return null;
  return (
    <Link
      to="/orders"
      search={{ status: "open" }}
      title={t("status.unresolvedHelp")}
      className="whitespace-nowrap rounded bg-warn-wash px-1.5 py-0.5 text-warn"
    >
      {t("status.unresolved", { count })}
    </Link>
  );
}

/** Says in a sentence that something on the screen is old. */
export function ConnectionWarning() {
  const { t } = useTranslation();
  const pricesBroken = useQuotesStatus((state) => state.status === "reconnecting");
  const eventsBroken = useEventsStatus((state) => state.status === "reconnecting");
  if (!pricesBroken && !eventsBroken) return null;
  return (
    <div role="status" className="bg-warn-wash px-4 py-1.5 text-center text-[13px] text-warn">
      {pricesBroken && <p>{t("status.pricesStale")}</p>}
      {eventsBroken && <p>{t("status.eventsStale")}</p>}
    </div>
  );
}
