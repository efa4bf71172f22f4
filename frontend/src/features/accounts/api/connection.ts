import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/lib/api/client";
import type { BrokerKey } from "@/lib/api/types";
import { CONNECTION_LOOK_MS } from "@/lib/limits";
import { queryKeys } from "@/lib/query-keys";

/** How the account's way to its broker is. It has no event, so it is looked at on a timer. */
export const connectionQuery = (accountId: string) =>
  queryOptions({
    queryKey: queryKeys.connection(accountId),
    queryFn: () => unwrap(api.GET("/api/accounts/{id}/connection", { params: { path: { id: accountId } } })),
    refetchInterval: CONNECTION_LOOK_MS,
  });

export function enterKey(accountId: string, key: BrokerKey) {
  const params = { path: { id: accountId } };
  return unwrap(api.PUT("/api/accounts/{id}/credentials", { params, body: key }));
}
