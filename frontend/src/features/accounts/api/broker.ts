import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/lib/api/client";
import type { Currency } from "@/lib/api/types";
import { queryKeys } from "@/lib/query-keys";

/** Comparisons shown, and incidents asked for. */
const COMPARISONS_SHOWN = 10;
const INCIDENTS_ASKED = 50;
/** A comparison that was asked for is looked for this often. */
const COMPARISON_LOOK_MS = 3_000;
/** A reset waits for open orders to end. */
const RESET_LOOK_MS = 2_000;

/** The latest comparisons of the account with its broker. They have no event, so they are looked at on a timer. */
export const comparisonsQuery = (accountId: string) =>
  queryOptions({
    queryKey: queryKeys.comparisons(accountId),
    queryFn: async () => {
      const query = { accountId, limit: COMPARISONS_SHOWN };
      return (await unwrap(api.GET("/api/reconciliations", { params: { query } }))).reconciliations;
    },
    refetchInterval: COMPARISON_LOOK_MS,
  });

export function compareNow(accountId: string) {
  return unwrap(api.POST("/api/accounts/{id}/reconcile", { params: { path: { id: accountId } } }));
}

/** What somebody must look at and nobody has said to have seen. */
export const incidentsQuery = queryOptions({
  queryKey: queryKeys.incidents,
  queryFn: async () => {
    const query = { unacknowledged: true, limit: INCIDENTS_ASKED };
    return (await unwrap(api.GET("/api/incidents", { params: { query } }))).incidents;
  },
});

export function acknowledge(incidentId: string, note: string) {
  const body = note === "" ? {} : { note };
  return unwrap(api.POST("/api/incidents/{id}/acknowledge", { params: { path: { id: incidentId } }, body }));
}

export const resetsQuery = (accountId: string) =>
  queryOptions({
    queryKey: queryKeys.resets(accountId),
    queryFn: async () =>
      (await unwrap(api.GET("/api/accounts/{id}/resets", { params: { path: { id: accountId } } }))).resets,
    refetchInterval: (query) => (query.state.data?.[0]?.status === "WAITING" ? RESET_LOOK_MS : false),
  });

/** Asks for the account to begin anew; with an opening deposit, if there is to be one. */
export function beginAnew(
  accountId: string,
  opening: { amount: string; currency: Currency } | null,
  key: string,
) {
  return unwrap(
    api.POST("/api/accounts/{id}/reset", {
      params: { path: { id: accountId }, header: { "Idempotency-Key": key } },
      body: opening === null ? {} : { openingDeposit: opening },
    }),
  );
}
