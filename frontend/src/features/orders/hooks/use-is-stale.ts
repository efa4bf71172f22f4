import { useEventsStatus } from "@/lib/events-status";
import { useQuotesStatus } from "@/lib/quotes/socket";

/** Whether what the page shows may be old: then nothing is sent without being looked at once more. */
export function useIsStale(): boolean {
  const prices = useQuotesStatus((state) => state.status !== "open");
  const events = useEventsStatus((state) => state.status !== "open");
  return prices || events;
}
