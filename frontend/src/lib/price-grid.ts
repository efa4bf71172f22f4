/** The steps of a share's prices, shared by the ticket and the chart. */
import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, unwrap } from "@/lib/api/client";
import { PRICE_STEPS_FRESH_MS } from "@/lib/limits";
import { queryKeys } from "@/lib/query-keys";
import type { PriceGrid } from "@/lib/ticks";

const priceGridQuery = (symbol: string) =>
  queryOptions({
    queryKey: queryKeys.priceGrid(symbol),
    queryFn: async (): Promise<PriceGrid | null> => {
      const params = { path: { symbol } };
      const [first, ...others] = (await unwrap(api.GET("/api/market/price-steps/{symbol}", { params })))
        .steps;
      return first === undefined ? null : [first, ...others];
    },
    staleTime: PRICE_STEPS_FRESH_MS,
  });

/** The steps of a symbol's prices; null while they are not known: then no price is moved, and the server judges. */
export function usePriceGrid(symbol: string): PriceGrid | null {
  return useQuery(priceGridQuery(symbol)).data ?? null;
}
