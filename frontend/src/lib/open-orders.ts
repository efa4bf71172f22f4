/** Working orders and ended ones as the event stream keeps them; shared by the rooms that show orders, holds and lines. */
import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/lib/api/client";
import { CLOSED_ORDERS_MAX, OPEN_ORDERS_MAX } from "@/lib/limits";
import { withHeard } from "@/lib/order-lists";
import { queryKeys } from "@/lib/query-keys";

const ordersQuery = (accountId: string, status: "open" | "closed", limit: number) =>
  queryOptions({
    queryKey: status === "open" ? queryKeys.openOrders(accountId) : queryKeys.closedOrders(accountId),
    queryFn: async () => {
      const page = await unwrap(api.GET("/api/orders", { params: { query: { accountId, status, limit } } }));
      return withHeard(accountId, status, page.orders);
    },
    // From here on the event stream keeps the list: orders are never asked for on a timer.
    staleTime: Number.POSITIVE_INFINITY,
  });

export const openOrdersQuery = (accountId: string) => ordersQuery(accountId, "open", OPEN_ORDERS_MAX);
export const closedOrdersQuery = (accountId: string) => ordersQuery(accountId, "closed", CLOSED_ORDERS_MAX);
