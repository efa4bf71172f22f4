import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/lib/api/client";
import type { AccountValue, Position } from "@/lib/api/types";
import { queryKeys } from "@/lib/query-keys";

/** What an account is worth and what it holds, of one moment. */
export interface Holdings {
  value: AccountValue | null;
  positions: Position[];
}

/**
 * Asked for again when an event says that something has changed; prices come over the quote socket. Cash and shares
 * are loaded together: a total of the cash after a fill and the shares before it would be wrong.
 */
export const holdingsQuery = (accountId: string) =>
  queryOptions({
    queryKey: queryKeys.holdings(accountId),
    queryFn: async (): Promise<Holdings> => {
      const params = { query: { accountId } };
      const [portfolio, { positions }] = await Promise.all([
        unwrap(api.GET("/api/portfolio", { params })),
        unwrap(api.GET("/api/portfolio/positions", { params })),
      ]);
      const value = portfolio.accounts.find((account) => account.accountId === accountId) ?? null;
      return { value, positions };
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
