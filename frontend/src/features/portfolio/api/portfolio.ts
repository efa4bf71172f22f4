import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/lib/api/client";
import type { Account, AccountValue, CostMethod, Position } from "@/lib/api/types";
import { BOOK_PAGE_SIZE } from "@/lib/limits";
import { queryKeys } from "@/lib/query-keys";

/** What an account is worth and what it holds, of one moment. */
export interface Holdings {
  /** In the account's own currency. */
  value: AccountValue | null;
  /** In every currency of which it has something; amounts of different ones are never added. */
  values: AccountValue[];
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
      const values = portfolio.accounts.filter((account) => account.accountId === accountId);
      return { value: values[0] ?? null, values, positions };
    },
    staleTime: Number.POSITIVE_INFINITY,
  });

/** Open lots, page by page, in the order in which they will be sold; of one symbol, or of all. */
export const lotPagesQuery = (accountId: string, symbol: string | null = null) =>
  infiniteQueryOptions({
    queryKey: [...queryKeys.lots(accountId, symbol), "pages"],
    queryFn: ({ pageParam }) => {
      const query = {
        accountId,
        limit: BOOK_PAGE_SIZE,
        ...(symbol !== null && { symbol }),
        ...(pageParam !== null && { after: pageParam }),
      };
      return unwrap(api.GET("/api/portfolio/lots", { params: { query } }));
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next ?? null,
  });

/** Sales, page by page, the last booked first; of one symbol, or of all. */
export const salePagesQuery = (accountId: string, symbol: string | null = null) =>
  infiniteQueryOptions({
    queryKey: queryKeys.sales(accountId, symbol),
    queryFn: ({ pageParam }) => {
      const query = {
        accountId,
        limit: BOOK_PAGE_SIZE,
        ...(symbol !== null && { symbol }),
        ...(pageParam !== null && { before: pageParam }),
      };
      return unwrap(api.GET("/api/portfolio/sales", { params: { query } }));
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next ?? null,
  });

/** Chooses how the profit of sales is told, past ones included. */
export function chooseCostMethod(accountId: string, method: CostMethod): Promise<Account> {
  return unwrap(
    api.PUT("/api/accounts/{id}/cost-method", { params: { path: { id: accountId } }, body: { method } }),
  );
}

/** Asks to sell all shares of a symbol, or to buy those sold short back; open orders in the way are taken back first. */
export function closePosition(accountId: string, symbol: string, key: string) {
  return unwrap(
    api.POST("/api/positions/close", {
      params: { header: { "Idempotency-Key": key } },
      body: { accountId, symbol },
    }),
  );
}
