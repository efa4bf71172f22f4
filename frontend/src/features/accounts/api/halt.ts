import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/lib/api/client";
import { HALT_LOOK_MS } from "@/lib/limits";
import { queryKeys } from "@/lib/query-keys";

/** Whether trading is halted in an account. The halt of everything by a file has no event, so it is looked for on a timer. */
export const haltQuery = (accountId: string) =>
  queryOptions({
    queryKey: queryKeys.halt(accountId),
    queryFn: () => unwrap(api.GET("/api/accounts/{id}/halt", { params: { path: { id: accountId } } })),
    refetchInterval: HALT_LOOK_MS,
  });

/** Stops trading in an account, or in all of them where none is named. */
export function haltTrading(accountId: string | null, cancelOrders: boolean) {
  const body = { cancelOrders };
  return accountId === null
    ? unwrap(api.POST("/api/halts", { body }))
    : unwrap(api.POST("/api/accounts/{id}/halt", { params: { path: { id: accountId } }, body }));
}

export function liftHalt(accountId: string) {
  return unwrap(api.POST("/api/accounts/{id}/halt/lift", { params: { path: { id: accountId } } }));
}
