import { useQuery } from "@tanstack/react-query";
import { useEventsReady } from "@/lib/events-status";
import { holdingsQuery } from "../api/portfolio";

/** What an account holds; nothing is asked while there is none. */
export function useHoldings(accountId: string | null) {
  const ready = useEventsReady();
  return useQuery({ ...holdingsQuery(accountId ?? ""), enabled: ready && accountId !== null });
}
