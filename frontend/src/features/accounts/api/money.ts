import { api, unwrap } from "@/lib/api/client";
import type { Currency } from "@/lib/api/types";

/** Every movement carries a key: sent again after a lost answer, it is booked once. */
const withKey = (accountId: string, key: string) => ({
  path: { id: accountId },
  header: { "Idempotency-Key": key },
});

export function deposit(accountId: string, amount: string, currency: Currency, key: string) {
  const body = { amount, currency };
  return unwrap(api.POST("/api/accounts/{id}/deposit", { params: withKey(accountId, key), body }));
}

export function withdraw(accountId: string, amount: string, currency: Currency, key: string) {
  const body = { amount, currency };
  return unwrap(api.POST("/api/accounts/{id}/withdraw", { params: withKey(accountId, key), body }));
}

export interface TransferWish {
  toAccountId: string;
  amount: string;
  currency: Currency;
}

export function transfer(accountId: string, wish: TransferWish, key: string) {
  return unwrap(api.POST("/api/accounts/{id}/transfer", { params: withKey(accountId, key), body: wish }));
}

export interface ExchangeWish {
  from: Currency;
  to: Currency;
  amount: string;
  /** Units of `to` for one unit of `from`. */
  rate: string;
}

export function exchange(accountId: string, wish: ExchangeWish, key: string) {
  return unwrap(api.POST("/api/accounts/{id}/exchange", { params: withKey(accountId, key), body: wish }));
}
