import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/lib/api/client";
import { HOURS_FRESH_MS, SEARCH_MATCHES_MAX } from "@/lib/limits";

/** Shares by code, name or Korean initial consonants. */
export const searchQuery = (text: string) =>
  queryOptions({
    queryKey: ["market-search", text],
    queryFn: async ({ signal }) => {
      const query = { q: text, limit: SEARCH_MATCHES_MAX };
      return await unwrap(api.GET("/api/market/search", { params: { query }, signal }));
    },
    // What could not be asked for everywhere is asked for again.
    staleTime: ({ state }) => (state.data?.complete === false ? 0 : HOURS_FRESH_MS),
    placeholderData: keepPreviousData,
  });

/** What the markets do now; asked for again from time to time, because a phase may end differently than was planned. */
export const hoursQuery = queryOptions({
  queryKey: ["market-hours"],
  queryFn: async () => {
    const { now, markets } = await unwrap(api.GET("/api/market/hours"));
    // By how much this clock is behind the server's: a countdown must not depend on it.
    return { markets, behindMs: Date.parse(now) - Date.now() };
  },
  staleTime: HOURS_FRESH_MS,
  refetchInterval: HOURS_FRESH_MS,
});
