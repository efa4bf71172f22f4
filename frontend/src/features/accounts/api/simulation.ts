import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/lib/api/client";
import type { Simulation } from "@/lib/api/types";
import { queryKeys } from "@/lib/query-keys";

export const SIMULATIONS: readonly Simulation[] = ["ideal", "realistic", "harsh"];

/** What stands between a play account's orders and their executions. */
export const simulationQuery = (accountId: string) =>
  queryOptions({
    queryKey: queryKeys.simulation(accountId),
    queryFn: () => unwrap(api.GET("/api/accounts/{id}/simulation", { params: { path: { id: accountId } } })),
  });

export function chooseSimulation(accountId: string, simulation: Simulation) {
  return unwrap(
    api.PUT("/api/accounts/{id}/simulation", {
      params: { path: { id: accountId } },
      body: { simulation },
    }),
  );
}
