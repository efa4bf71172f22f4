import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/lib/api/client";
import type { components } from "@/lib/api/schema";
import { HISTORY_BARS_MAX, SHORT_BARS_INTERVAL_MS, SPARKLINE_DAYS, SPARKLINE_FRESH_MS } from "@/lib/limits";
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

/** The closes of the last days, for a line beside a symbol: a picture, so binary numbers do. */
export const sparklineQuery = (symbol: string) =>
  queryOptions({
    queryKey: [...queryKeys.history(symbol), "sparkline"],
    queryFn: async ({ signal }) => {
      const params = { path: { symbol }, query: { limit: SPARKLINE_DAYS } };
      const { bars } = await unwrap(api.GET("/api/market/history/{symbol}", { params, signal }));
      return bars.map(({ close }) => Number(close));
    },
    staleTime: SPARKLINE_FRESH_MS,
    refetchInterval: SPARKLINE_FRESH_MS,
    // Nobody misses a small picture that a source does not have.
    retry: false,
  });
