import type { AccountBalance, Balance } from "./api/types";

/**
 * An account's cash with what is told of one currency. What is not told (how much of it is settled) stands as it was
 * until it is asked for again.
 */
export function withBalance(known: AccountBalance, balance: Balance): AccountBalance {
  const currencies = known.currencies.map((one) =>
    one.currency === balance.currency ? { ...one, ...balance } : one,
  );
  const own = known.currency === balance.currency ? balance : {};
  return { ...known, ...own, currencies };
}
