import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/lib/api/client";
import type { Currency, StatementLine } from "@/lib/api/types";
import { currencyOf } from "@/lib/currency";
import { MOVEMENTS_NAMED_MAX, PERFORMANCE_INTERVAL_MS } from "@/lib/limits";
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
/** What of dividends is kept back for taxes. */
export const WITHHOLDING = ["withholding"] as const;

type Kind = (typeof FLOWS)[number] | (typeof INTEREST)[number] | (typeof WITHHOLDING)[number];

export interface Movements {
  /** The newest first. */
  lines: StatementLine[];
  /** Whether there are none but these. */
  complete: boolean;
}

/** The movements of some kinds in a currency, and those of shares that are traded in it. */
export const movementsQuery = (accountId: string, currency: Currency, kinds: readonly Kind[]) =>
  queryOptions({
    queryKey: queryKeys.movements(accountId, currency, kinds),
    queryFn: async ({ signal }): Promise<Movements> => {
      const query = { kind: kinds.join(","), limit: MOVEMENTS_NAMED_MAX };
      const params = { path: { id: accountId }, query };
      const page = await unwrap(api.GET("/api/accounts/{id}/statement", { params, signal }));
      const lines = page.lines.filter(
        ({ commodity, symbol }) =>
          commodity === currency || (commodity === symbol && currencyOf(commodity) === currency),
      );
      return { lines, complete: page.nextCursor == null };
    },
    staleTime: 0,
  });
