/** What can be done in an account, as its broker says; shared by the ticket and the rooms of the account. */
import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, unwrap } from "@/lib/api/client";
import type { Capabilities } from "@/lib/api/types";
import { useEventsReady } from "@/lib/events-status";
import { CAPABILITIES_FRESH_MS } from "@/lib/limits";
import { queryKeys } from "@/lib/query-keys";

export const capabilitiesQuery = (accountId: string) =>
  queryOptions({
    queryKey: queryKeys.capabilities(accountId),
    queryFn: () =>
      unwrap(api.GET("/api/accounts/{id}/capabilities", { params: { path: { id: accountId } } })),
    staleTime: CAPABILITIES_FRESH_MS,
  });

/**
 * What the account's broker takes; undefined while it is not known. Then everything is offered, and the server refuses what
 * cannot be.
 */
export function useCapabilities(accountId: string | null): Capabilities | undefined {
  const ready = useEventsReady();
  return useQuery({ ...capabilitiesQuery(accountId ?? ""), enabled: ready && accountId !== null }).data;
}
