import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/lib/api/client";
import { HISTORY_BARS_MAX } from "@/lib/limits";
import { queryKeys } from "@/lib/query-keys";

const INSTRUMENTS_FRESH_MS = 300_000;

export const instrumentsQuery = queryOptions({
  queryKey: queryKeys.instruments,
  queryFn: async () => (await unwrap(api.GET("/api/market/symbols"))).symbols,
  staleTime: INSTRUMENTS_FRESH_MS,
});

export const historyQuery = (symbol: string) =>
  queryOptions({
    queryKey: queryKeys.history(symbol),
    queryFn: () =>
      unwrap(
        api.GET("/api/market/history/{symbol}", {
          params: { path: { symbol }, query: { limit: HISTORY_BARS_MAX } },
        }),
      ),
    staleTime: Number.POSITIVE_INFINITY,
  });
