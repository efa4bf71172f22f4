import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { marketStateAt, spanParts } from "@/lib/countdown";
import { currencyOf } from "@/lib/currency";
import { useEventsReady } from "@/lib/events-status";
import { formatDay } from "@/lib/format";
import { problemSentence } from "@/lib/i18n/sentences";
import { priceKind } from "@/lib/quotes/quote";
import { quotes } from "@/lib/quotes/socket";
import { useQuotesText } from "@/lib/quotes/use-quote";
import { Button } from "@/lib/ui/button";
import { hoursQuery } from "../api/directory";

const CLOCK_MS = 1_000;

/**
 * Whether a symbol can be traded now. Where its prices have a real time, that is what its market says, and for how long;
 * a recorded day or an invented price trades at every hour.
 */
export function MarketClock({ symbol }: { symbol: string | null }) {
  const { t, i18n } = useTranslation();
  const [kind = "", session = ""] = useQuotesText(symbol === null ? [] : [symbol], () =>
    kindAndSession(symbol),
  ).split(" ");
  const ready = useEventsReady();
  const hours = useQuery({ ...hoursQuery, enabled: ready });
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), CLOCK_MS);
    return () => clearInterval(timer);
  }, []);
  if (symbol === null) return null;
  if (hours.data === undefined)
    return hours.isError ? <NoHours failure={hours.error} onRetry={() => hours.refetch()} /> : null;
  const name = currencyOf(symbol) === "KRW" ? "KRX" : "US";
  const market = hours.data.markets.find((known) => known.market === name);
  const state = market && marketStateAt(market, now + hours.data.behindMs);
  if (!market || !state) return null;
  const left = spanParts(state.secondsLeft)
    .map(([count, unit]) => t(`status.span.${unit}`, { count }))
    .join(" ");
  const countdown = t(state.phase === "open" ? "status.closesIn" : "status.opensIn", { left });
  const real = `${t(`status.market.${name}`)}: ${t(`status.phase.${state.phase}`)}, ${countdown} (${market.timeZone})`;
  if (kind === "recorded" || kind === "simulated") {
    const play =
      kind === "recorded"
        ? t("status.replayOf", { day: formatDay(session, i18n.language) })
        : t("status.madeUp");
    return (
      <Phase title={`${t("status.playHelp")} ${real}`} name={play} isOpen phase={t("status.playOpen")} />
    );
  }
  return (
    <Phase
      title={`${t("status.marketHelp")} (${market.timeZone})`}
      name={t(`status.market.${name}`)}
      isOpen={state.phase === "open"}
      phase={t(`status.phase.${state.phase}`)}
      countdown={countdown}
      left={left}
    />
  );
}

function NoHours({ failure, onRetry }: { failure: unknown; onRetry: () => void }) {
  const { t } = useTranslation();
  return (
    <span
      role="alert"
      className="inline-flex items-center gap-1.5 whitespace-nowrap"
      title={problemSentence(failure)}
    >
      <span aria-hidden="true" className="size-2 rounded-full bg-warn" />
      {t("status.hoursFailed")}
      <Button size="small" onClick={onRetry}>
        {t("app.retry")}
      </Button>
    </span>
  );
}

function kindAndSession(symbol: string | null): string {
  const quote = symbol === null ? undefined : quotes.get(symbol);
  return quote === undefined ? "" : `${priceKind(quote)} ${quote.sessionDate}`;
}

interface PhaseProps {
  title: string;
  /** Which market, or what is played in its place. */
  name: string;
  isOpen: boolean;
  phase: string;
  countdown?: string;
  /** The same where there is little room. */
  left?: string;
}

function Phase({ title, name, isOpen, phase, countdown, left }: PhaseProps) {
  return (
    <span title={title} className="inline-flex items-center gap-1.5 whitespace-nowrap">
      <span aria-hidden="true" className={`size-2 rounded-full ${isOpen ? "bg-accent" : "bg-soft"}`} />
      <span className="text-soft max-sm:hidden">{name}</span>
      <span data-testid="market-phase">{phase}</span>
      {countdown !== undefined && <span className="text-soft max-sm:hidden">{countdown}</span>}
      {left !== undefined && <span className="text-soft sm:hidden">{left}</span>}
    </span>
  );
}
