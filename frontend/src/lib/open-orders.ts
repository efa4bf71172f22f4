/** Working orders and ended ones as the event stream keeps them; shared by the rooms that show orders, holds and lines. */
import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/lib/api/client";
import type { Order } from "@/lib/api/types";
import { CLOSED_ORDERS_MAX, OPEN_ORDERS_PAGE_SIZE, OPEN_ORDERS_PAGES_MAX } from "@/lib/limits";
import { withHeard } from "@/lib/order-lists";
import { queryKeys } from "@/lib/query-keys";

type Status = "open" | "closed";

async function readPages(accountId: string, status: Status, limit: number, pagesMax: number) {
  const orders: Order[] = [];
  let cursor: string | null | undefined;
  for (let page = 0; page < pagesMax; page += 1) {
    const query = { accountId, status, limit, ...(cursor != null && { cursor }) };
    const answer = await unwrap(api.GET("/api/orders", { params: { query } }));
    orders.push(...answer.orders);
    cursor = answer.nextCursor;
    if (cursor == null) break;
  }
  return orders;
}

const ordersQuery = (accountId: string, status: Status, limit: number, pagesMax: number) =>
  queryOptions({
    queryKey: status === "open" ? queryKeys.openOrders(accountId) : queryKeys.closedOrders(accountId),
    queryFn: async () => withHeard(accountId, status, await readPages(accountId, status, limit, pagesMax)),
    // From here on the event stream keeps the list: orders are never asked for on a timer.
    staleTime: Number.POSITIVE_INFINITY,
  });

export const openOrdersQuery = (accountId: string) =>
  ordersQuery(accountId, "open", OPEN_ORDERS_PAGE_SIZE, OPEN_ORDERS_PAGES_MAX);
export const closedOrdersQuery = (accountId: string) =>
  ordersQuery(accountId, "closed", CLOSED_ORDERS_MAX, 1);
