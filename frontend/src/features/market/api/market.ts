import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/lib/api/client";
import type { components } from "@/lib/api/schema";
import { HISTORY_BARS_MAX, SHORT_BARS_INTERVAL_MS } from "@/lib/limits";
import { queryKeys } from "@/lib/query-keys";

type BarInterval = components["schemas"]["BarInterval"];

const INSTRUMENTS_FRESH_MS = 300_000;

export const instrumentsQuery = queryOptions({
  queryKey: queryKeys.instruments,
  queryFn: async () => (await unwrap(api.GET("/api/market/symbols"))).symbols,
  staleTime: INSTRUMENTS_FRESH_MS,
});

export const historyQuery = (symbol: string, interval: BarInterval = "1d") =>
  queryOptions({
    queryKey: [...queryKeys.history(symbol), interval],
    queryFn: () =>
      unwrap(
        api.GET("/api/market/history/{symbol}", {
          params: { path: { symbol }, query: { limit: HISTORY_BARS_MAX, interval } },
        }),
      ),
    staleTime: Number.POSITIVE_INFINITY,
    // A day's bar is told by its prices alone; shorter ones come from the source as they end.
    refetchInterval: interval === "1d" ? false : SHORT_BARS_INTERVAL_MS,
  });
