import { infiniteQueryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/lib/api/client";
import { BOOK_PAGE_SIZE } from "@/lib/limits";
import { queryKeys } from "@/lib/query-keys";

/** What has moved a position, page by page, the last booked first. */
export const positionMovementsQuery = (accountId: string, symbol: string) =>
  infiniteQueryOptions({
    queryKey: queryKeys.positionMovements(accountId, symbol),
    queryFn: ({ pageParam }) => {
      const query = {
        accountId,
        symbol,
        limit: BOOK_PAGE_SIZE,
        ...(pageParam !== null && { before: pageParam }),
      };
      return unwrap(api.GET("/api/portfolio/movements", { params: { query } }));
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next ?? null,
  });

/** What sales have taken from a lot, page by page, the last booked first. */
export const lotSalesQuery = (accountId: string, lotId: string) =>
  infiniteQueryOptions({
    queryKey: queryKeys.lotSales(accountId, lotId),
    queryFn: ({ pageParam }) => {
      const query = { accountId, limit: BOOK_PAGE_SIZE, ...(pageParam !== null && { before: pageParam }) };
      return unwrap(api.GET("/api/portfolio/lots/{id}/sales", { params: { path: { id: lotId }, query } }));
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next ?? null,
  });
