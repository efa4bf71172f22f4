import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/lib/api/client";
import { queryText, saveFile } from "@/lib/api/download";
import type { OrderGroup } from "@/lib/api/types";
import { CANCEL_ALL_ROUNDS_MAX, ORDER_GROUPS_MAX, ORDER_PAGE_SIZE } from "@/lib/limits";
import { type OrderSearch, orderQuery } from "@/lib/order-search";
import { queryKeys } from "@/lib/query-keys";

/** A search for orders, page by page, newest first. */
export const orderPagesQuery = (accountId: string, search: OrderSearch) => {
  const query = orderQuery(search, accountId);
  return infiniteQueryOptions({
    queryKey: queryKeys.orderPages(query),
    queryFn: ({ pageParam }) =>
      unwrap(
        api.GET("/api/orders", {
          params: {
            query: { ...query, limit: ORDER_PAGE_SIZE, ...(pageParam !== null && { cursor: pageParam }) },
          },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor ?? null,
    // The event stream brings what changes.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
};

export const orderDetailQuery = (orderId: string) =>
  queryOptions({
    queryKey: queryKeys.order(orderId),
    queryFn: () => unwrap(api.GET("/api/orders/{id}", { params: { path: { id: orderId } } })),
  });

/** Groups in which something may still happen. */
export const activeGroupsQuery = (accountId: string) =>
  queryOptions({
    queryKey: queryKeys.orderGroups(accountId),
    queryFn: async (): Promise<OrderGroup[]> => {
      const query = { accountId, limit: ORDER_GROUPS_MAX };
      const { groups } = await unwrap(api.GET("/api/order-groups", { params: { query } }));
      return groups.filter(({ active }) => active);
    },
  });

export function cancelGroup(groupId: string): Promise<OrderGroup> {
  return unwrap(api.DELETE("/api/order-groups/{id}", { params: { path: { id: groupId } } }));
}

/** What became of a wish to take everything back. */
export interface CancelAllOutcome {
  requested: number;
  failed: number;
  /** Whether open orders are left that were not asked about. */
  more: boolean;
}

/** Asks to take back every open order of an account, or those of a symbol or side. */
export async function cancelAll(accountId: string, { symbol, side }: OrderSearch): Promise<CancelAllOutcome> {
  const outcome: CancelAllOutcome = { requested: 0, failed: 0, more: true };
  const body = { accountId, ...(symbol !== undefined && { symbol }), ...(side !== undefined && { side }) };
  for (let round = 0; round < CANCEL_ALL_ROUNDS_MAX && outcome.more; round += 1) {
    const answer = await unwrap(api.POST("/api/orders/cancel-all", { body }));
    outcome.requested += answer.items.filter((item) => item.outcome === "requested").length;
    outcome.failed = answer.items.filter((item) => item.outcome === "failed").length;
    outcome.more = answer.more && answer.items.length > 0;
  }
  return outcome;
}

/** Saves the orders of a search as a CSV file. */
export function saveOrders(accountId: string, search: OrderSearch): Promise<void> {
  return saveFile(`/api/orders/export${queryText(orderQuery(search, accountId))}`, "gaemi-orders.csv");
}
