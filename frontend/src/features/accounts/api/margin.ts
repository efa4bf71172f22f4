import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/lib/api/client";
import { ANSWER_FRESH_MS } from "@/lib/limits";
import { queryKeys } from "@/lib/query-keys";

/** How often the use of credit is looked at again: prices move it. */
const LOOK_INTERVAL_MS = 10_000;

export interface MarginSwitches {
  margin: boolean;
  shortSelling: boolean;
}

/** What a play account may do beyond its own money and shares, and how much of that it uses. */
export const marginQuery = (accountId: string) =>
  queryOptions({
    queryKey: queryKeys.margin(accountId),
    queryFn: () => unwrap(api.GET("/api/accounts/{id}/margin", { params: { path: { id: accountId } } })),
    // An account that borrows nothing uses nothing.
    refetchInterval: (query) => (query.state.data?.margin ? LOOK_INTERVAL_MS : false),
    staleTime: ANSWER_FRESH_MS,
  });

export function chooseMargin(accountId: string, switches: MarginSwitches) {
  return unwrap(
    api.PUT("/api/accounts/{id}/margin", { params: { path: { id: accountId } }, body: switches }),
  );
}
