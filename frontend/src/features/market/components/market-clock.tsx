import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { marketStateAt, spanParts } from "@/lib/countdown";
import { currencyOf } from "@/lib/currency";
import { useEventsReady } from "@/lib/events-status";
import { hoursQuery } from "../api/directory";

const CLOCK_MS = 1_000;

/** Whether the market of a symbol is open, and for how long it stays as it is. */
export function MarketClock({ symbol }: { symbol: string | null }) {
  const { t } = useTranslation();
  const ready = useEventsReady();
  const hours = useQuery({ ...hoursQuery, enabled: ready });
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), CLOCK_MS);
    return () => clearInterval(timer);
  }, []);
  if (symbol === null || hours.data === undefined) return null;
  const name = currencyOf(symbol) === "KRW" ? "KRX" : "US";
  const market = hours.data.markets.find((known) => known.market === name);
  const state = market && marketStateAt(market, now + hours.data.behindMs);
  if (!market || !state) return null;
  const left = spanParts(state.secondsLeft)
    .map(([count, unit]) => t(`status.span.${unit}`, { count }))
    .join(" ");
  return (
    <span
      title={`${t("status.marketHelp")} (${market.timeZone})`}
      className="inline-flex items-center gap-1.5 whitespace-nowrap"
    >
      <span
        aria-hidden="true"
        className={`size-2 rounded-full ${state.phase === "open" ? "bg-accent" : "bg-soft"}`}
      />
      <span className="text-soft max-sm:hidden">{t(`status.market.${name}`)}</span>
      <span data-testid="market-phase">{t(`status.phase.${state.phase}`)}</span>
      <span className="text-soft max-lg:hidden">
        {t(state.phase === "open" ? "status.closesIn" : "status.opensIn", { left })}
      </span>
    </span>
  );
}
