import { useQuery } from "@tanstack/react-query";
import { useEventsReady } from "@/lib/events-status";
import { usePreferences } from "@/lib/preferences";
import { accountsQuery } from "../api/accounts";

/** The user's accounts and the one chosen: the remembered one, or the first. */
export function useAccounts() {
  const ready = useEventsReady();
  const remembered = usePreferences((state) => state.accountId);
  const accounts = useQuery({ ...accountsQuery, enabled: ready });
  const chosen = accounts.data?.find(({ id }) => id === remembered) ?? accounts.data?.[0] ?? null;
  return { ...accounts, chosen };
}
