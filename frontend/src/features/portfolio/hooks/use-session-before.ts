import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import type { Currency, Performance } from "@/lib/api/types";
import { useEventsReady } from "@/lib/events-status";
import { quotes } from "@/lib/quotes/socket";
import { useQuotesText } from "@/lib/quotes/use-quote";
import { performanceQuery } from "../api/performance";

/**
 * What there was before the newest trading session; null until two were seen. Asked for anew when a price of another
 * session arrives: in a replay that can be every minute.
 */
export function useSessionBefore(
  accountId: string,
  currency: Currency,
  symbols: readonly string[],
): Performance["session"] {
  const ready = useEventsReady();
  const course = useQuery({ ...performanceQuery(accountId, currency, 1), enabled: ready });
  const newest = useQuotesText(symbols, () =>
    symbols.reduce((day, symbol) => {
      const own = quotes.get(symbol)?.sessionDate ?? "";
      return own > day ? own : day;
    }, ""),
  );
  const seen = useRef("");
  const { refetch } = course;
  useEffect(() => {
    const before = seen.current;
    seen.current = newest;
    if (before !== "" && newest !== before) void refetch();
  }, [newest, refetch]);
  return course.data?.session ?? null;
}
