import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/lib/api/client";
import type { Account, Currency } from "@/lib/api/types";
import { queryKeys } from "@/lib/query-keys";

export const accountsQuery = queryOptions({
  queryKey: queryKeys.accounts,
  queryFn: async () => (await unwrap(api.GET("/api/accounts"))).accounts,
});

export const balanceQuery = (accountId: string) =>
  queryOptions({
    queryKey: queryKeys.balance(accountId),
    queryFn: () => unwrap(api.GET("/api/accounts/{id}/balance", { params: { path: { id: accountId } } })),
  });

export function openAccount(name: string, currency: Currency): Promise<Account> {
  return unwrap(api.POST("/api/accounts", { body: { name, currency, broker: "simulator" } }));
}
