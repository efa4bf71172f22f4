import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/lib/api/client";
import type {
  Lot,
  Order,
  OrderDetail,
  OrderGroup,
  PlaceGroup,
  PlaceOrder,
  ReplaceOrder,
  ResolveOrder,
} from "@/lib/api/types";
import { fillsOf, type SeenFill } from "@/lib/fills";
import { isZero } from "@/lib/format";
import { FILLED_ORDERS_ASKED_MAX, LOTS_ASKED_MAX } from "@/lib/limits";
import { closedOrdersQuery, openOrdersQuery } from "@/lib/open-orders";
import { queryKeys } from "@/lib/query-keys";

/**
 * Fills of the latest filled orders, as their histories tell them. From then on the event stream tells of new ones.
 */
export const pastFillsQuery = (accountId: string) =>
  queryOptions({
    queryKey: queryKeys.fills(accountId),
    queryFn: async ({ client }): Promise<SeenFill[]> => {
      const lists = await Promise.all([
        client.ensureQueryData(openOrdersQuery(accountId)),
        client.ensureQueryData(closedOrdersQuery(accountId)),
      ]);
      const filled = lists
        .flat()
        .filter(({ filledQuantity }) => !isZero(filledQuantity))
        .sort((left, right) => right.updatedAt.localeCompare(left.updatedAt))
        .slice(0, FILLED_ORDERS_ASKED_MAX);
      const details = await Promise.all(filled.map(({ id }) => orderDetail(id)));
      return details.flatMap(fillsOf);
    },
    staleTime: Number.POSITIVE_INFINITY,
  });

function orderDetail(id: string): Promise<OrderDetail> {
  return unwrap(api.GET("/api/orders/{id}", { params: { path: { id } } }));
}

export const previewQuery = (order: PlaceOrder) =>
  queryOptions({
    queryKey: queryKeys.preview(order),
    queryFn: () => unwrap(api.POST("/api/orders/preview", { body: order })),
    retry: false,
    gcTime: 0,
  });

export function placeOrder(order: PlaceOrder, key: string): Promise<Order> {
  return unwrap(api.POST("/api/orders", { params: { header: { "Idempotency-Key": key } }, body: order }));
}

export function placeGroup(group: PlaceGroup, key: string): Promise<OrderGroup> {
  return unwrap(
    api.POST("/api/order-groups", { params: { header: { "Idempotency-Key": key } }, body: group }),
  );
}

/** Asks for other terms of an open order. */
export function replaceOrder(orderId: string, terms: ReplaceOrder, key: string): Promise<Order> {
  const params = { path: { id: orderId }, header: { "Idempotency-Key": key } };
  return unwrap(api.PATCH("/api/orders/{id}", { params, body: terms }));
}

/** The lots of a symbol in the order in which they are sold; asked for anew each time, for one look. */
export const lotsQuery = (accountId: string, symbol: string) =>
  queryOptions({
    queryKey: queryKeys.lots(accountId, symbol),
    queryFn: async (): Promise<Lot[]> => {
      const query = { accountId, symbol, limit: LOTS_ASKED_MAX };
      return (await unwrap(api.GET("/api/portfolio/lots", { params: { query } }))).lots;
    },
    staleTime: 0,
  });

export function cancelOrder(orderId: string): Promise<Order> {
  return unwrap(api.DELETE("/api/orders/{id}", { params: { path: { id: orderId } } }));
}

/** Says what became of an order that nobody knows of. That the word is written is the answer; what it does comes as news. */
export function resolveOrder(orderId: string, word: ResolveOrder): Promise<Order> {
  return unwrap(api.POST("/api/orders/{id}/resolve", { params: { path: { id: orderId } }, body: word }));
}
