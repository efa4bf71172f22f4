import { useQuery } from "@tanstack/react-query";
import { useEventsReady } from "@/lib/events-status";
import { holdingsQuery } from "../api/portfolio";

export function useHoldings(accountId: string) {
  const ready = useEventsReady();
  return useQuery({ ...holdingsQuery(accountId), enabled: ready });
}
