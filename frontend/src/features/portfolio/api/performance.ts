import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/lib/api/client";
import type { Currency, StatementLine } from "@/lib/api/types";
import { FLOWS_OF_A_KIND_MAX, PERFORMANCE_INTERVAL_MS } from "@/lib/limits";
import { queryKeys } from "@/lib/query-keys";

/** How an account has done in a currency: over the last days, or from the beginning. */
export const performanceQuery = (accountId: string, currency: Currency, days: number | null) =>
  queryOptions({
    queryKey: queryKeys.performance(accountId, currency, days),
    queryFn: ({ signal }) => {
      const query = { accountId, currency, ...(days !== null && { days }) };
      return unwrap(api.GET("/api/portfolio/performance", { params: { query }, signal }));
    },
    // The server looks once a minute.
    refetchInterval: PERFORMANCE_INTERVAL_MS,
    placeholderData: (before) => (before?.currency === currency ? before : undefined),
  });

/** Movements that bring something in or take it out. */
const FLOW_KINDS = [
  "deposit",
  "withdrawal",
  "transfer_in",
  "transfer_out",
  "exchange_in",
  "exchange_out",
  "shares_in",
  "shares_out",
] as const;

/** What was brought in and taken out in a currency, the newest first. */
export const flowsQuery = (accountId: string, currency: Currency) =>
  queryOptions({
    queryKey: queryKeys.flows(accountId, currency),
    queryFn: async ({ signal }): Promise<StatementLine[]> => {
      const pages = FLOW_KINDS.map((kind) => {
        const query = { kind, limit: FLOWS_OF_A_KIND_MAX };
        const params = { path: { id: accountId }, query };
        return unwrap(api.GET("/api/accounts/{id}/statement", { params, signal }));
      });
      const lines = (await Promise.all(pages)).flatMap((page) => page.lines);
      return lines
        .filter(({ commodity, symbol }) => commodity === currency || symbol != null)
        .sort((left, right) => right.sequence - left.sequence);
    },
    staleTime: 0,
  });
