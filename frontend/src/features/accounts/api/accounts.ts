import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/lib/api/client";
import type { Account, BrokerName, Currency } from "@/lib/api/types";
import { ANSWER_FRESH_MS } from "@/lib/limits";
import { queryKeys } from "@/lib/query-keys";

export const accountsQuery = queryOptions({
  queryKey: queryKeys.accounts,
  queryFn: async () => (await unwrap(api.GET("/api/accounts"))).accounts,
  staleTime: ANSWER_FRESH_MS,
});

export const balanceQuery = (accountId: string) =>
  queryOptions({
    queryKey: queryKeys.balance(accountId),
    queryFn: () => unwrap(api.GET("/api/accounts/{id}/balance", { params: { path: { id: accountId } } })),
    staleTime: ANSWER_FRESH_MS,
  });

export interface OpeningWish {
  name: string;
  currency: Currency;
  broker: BrokerName;
  margin?: boolean;
  shortSelling?: boolean;
}

/** Sent again with its key after a lost answer, it opens one account. */
export function openAccount(wish: OpeningWish, key: string): Promise<Account> {
  return unwrap(api.POST("/api/accounts", { params: { header: { "Idempotency-Key": key } }, body: wish }));
}
