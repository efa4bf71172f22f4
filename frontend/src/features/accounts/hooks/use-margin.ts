import { useQuery } from "@tanstack/react-query";
import type { Account, AccountMargin, Balance } from "@/lib/api/types";
import { useQuietMoment } from "@/lib/ui/use-quiet-moment";
import { marginQuery } from "../api/margin";

function useKnownMargin(account: Account) {
  const quiet = useQuietMoment();
  const lends = account.broker === "simulator" && account.currency === "USD";
  const { data, isError } = useQuery({ ...marginQuery(account.id), enabled: quiet && lends });
  return { data, isAwaited: lends && data === undefined && !isError };
}

/** What an account may do beyond its own money, where it may do that at all. The first screen does not wait for it. */
export function useMargin(account: Account): AccountMargin | null {
  const { data } = useKnownMargin(account);
  return data?.margin ? data : null;
}

/**
 * What an order may spend of one currency, credit included where the account has it; undefined until that is known: the
 * account's own money alone would be less than an order may spend, or, after short sales, more.
 */
export function useBuyingPower(
  account: Account,
  balance: Pick<Balance, "currency" | "buyingPower"> | undefined,
): string | undefined {
  const { data, isAwaited } = useKnownMargin(account);
  if (balance === undefined) return undefined;
  // Credit is in the account's own currency; others are what they are.
  if (balance.currency !== account.currency) return balance.buyingPower;
  if (isAwaited) return undefined;
  return (data?.margin ? data.use?.buyingPower : undefined) ?? balance.buyingPower;
}
