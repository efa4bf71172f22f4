import { useQuery } from "@tanstack/react-query";
import type { Account, AccountMargin } from "@/lib/api/types";
import { useQuietMoment } from "@/lib/ui/use-quiet-moment";
import { marginQuery } from "../api/margin";

/** What an account may do beyond its own money, where it may do that at all. The first screen does not wait for it. */
export function useMargin(account: Account): AccountMargin | null {
  const quiet = useQuietMoment();
  const lends = account.broker === "simulator" && account.currency === "USD";
  const { data } = useQuery({ ...marginQuery(account.id), enabled: quiet && lends });
  return data?.margin ? data : null;
}
