import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/lib/api/client";
import { queryKeys } from "@/lib/query-keys";

// Both are asked for again when an event says that something has changed; prices come over the quote socket.
export const portfolioQuery = (accountId: string) =>
  queryOptions({
    queryKey: queryKeys.portfolio(accountId),
    queryFn: async () => {
      const { accounts } = await unwrap(api.GET("/api/portfolio", { params: { query: { accountId } } }));
      return accounts.find((value) => value.accountId === accountId) ?? null;
    },
    staleTime: Number.POSITIVE_INFINITY,
  });

export const positionsQuery = (accountId: string) =>
  queryOptions({
    queryKey: queryKeys.positions(accountId),
    queryFn: async () =>
      (await unwrap(api.GET("/api/portfolio/positions", { params: { query: { accountId } } }))).positions,
    staleTime: Number.POSITIVE_INFINITY,
  });
