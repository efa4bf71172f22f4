import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/lib/api/client";
import type { Currency, StatementLine } from "@/lib/api/types";
import { currencyOf } from "@/lib/currency";
import { MOVEMENTS_PAGE_SIZE, PERFORMANCE_INTERVAL_MS } from "@/lib/limits";
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
export const FLOWS = [
  "deposit",
  "withdrawal",
  "transfer_in",
  "transfer_out",
  "exchange_in",
  "exchange_out",
  "shares_in",
  "shares_out",
] as const;
/** What is paid for money and shares that are borrowed, or comes in for money that lies there. */
export const INTEREST = ["interest", "borrow_fee"] as const;
/** What of dividends came in, and what was kept back of them later. */
export const DIVIDENDS = ["dividend", "withholding"] as const;

export type MovementKind = (typeof FLOWS)[number] | (typeof INTEREST)[number] | (typeof DIVIDENDS)[number];

/** Lines of a page that are about a currency: its own, and those of shares that are traded in it. */
export function linesOf(lines: readonly StatementLine[], currency: Currency): StatementLine[] {
  return lines.filter(
    ({ commodity, symbol }) =>
      commodity === currency || (commodity === symbol && currencyOf(commodity) === currency),
  );
}

/** The movements of some kinds, page by page, the newest first. */
export const movementPagesQuery = (accountId: string, kinds: readonly MovementKind[]) =>
  infiniteQueryOptions({
    queryKey: queryKeys.movements(accountId, kinds),
    queryFn: ({ pageParam, signal }) => {
      const query = {
        kind: kinds.join(","),
        limit: MOVEMENTS_PAGE_SIZE,
        ...(pageParam !== null && { cursor: pageParam }),
      };
      const params = { path: { id: accountId }, query };
      return unwrap(api.GET("/api/accounts/{id}/statement", { params, signal }));
    },
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.nextCursor ?? null,
    staleTime: 0,
  });
