import { useAccounts } from "@/features/accounts/hooks/use-account";
import { useHoldings } from "@/features/portfolio/hooks/use-holdings";
import type { Account } from "@/lib/api/types";
import { Decimal } from "@/lib/decimal";

/** Whether an account never had money: then the next step is shown instead of a ticket that can only refuse. */
export function useIsUntouched(account: Account | null): boolean {
  const { data: holdings } = useHoldings(account?.id ?? null);
  return (
    holdings?.value != null &&
    holdings.positions.length === 0 &&
    [holdings.value.netDeposits, holdings.value.cash].every((amount) => new Decimal(amount).isZero())
  );
}

/** Whether the first steps are shown: no account yet, or none with money. */
export function useIsStarting(): boolean {
  const { data: accounts, chosen } = useAccounts();
  const untouched = useIsUntouched(chosen);
  return accounts !== undefined && (chosen === null || untouched);
}
