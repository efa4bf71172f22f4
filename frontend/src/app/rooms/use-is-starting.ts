import { useState } from "react";
import { useAccounts } from "@/features/accounts/hooks/use-account";
import { useHoldings } from "@/features/portfolio/hooks/use-holdings";
import type { Account } from "@/lib/api/types";
import { Decimal } from "@/lib/decimal";

/**
 * Whether an account never had money: then the next step is shown instead of a ticket that can only refuse. Null while
 * it is not known.
 */
export function useIsUntouched(account: Account | null): boolean | null {
  const { data: holdings } = useHoldings(account?.id ?? null);
  if (account === null || holdings?.value == null) return null;
  const { netDeposits, cash } = holdings.value;
  return (
    holdings.positions.length === 0 && [netDeposits, cash].every((amount) => new Decimal(amount).isZero())
  );
}

/** Whether the first steps are shown: no account yet, or none with money. While that is not known, as it was before. */
export function useIsStarting(): boolean {
  const { data: accounts, chosen } = useAccounts();
  const untouched = useIsUntouched(chosen);
  const [before, setBefore] = useState(false);
  const now = accounts === undefined ? null : chosen === null ? true : untouched;
  if (now !== null && now !== before) setBefore(now);
  return now ?? before;
}
