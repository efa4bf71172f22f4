import { QueryCache, QueryClient } from "@tanstack/react-query";
import { accountsQuery, balanceQuery } from "@/features/accounts/api/accounts";
import { instrumentsQuery } from "@/features/market/api/market";
import { holdingsQuery } from "@/features/portfolio/api/portfolio";
import { hasEarly } from "@/lib/api/early";
import { ProblemError } from "@/lib/api/problem";
import { usePreferences } from "@/lib/preferences";

const LOAD_RETRIES_MAX = 3;

/** What the page remembers of the server's answers. */
export const queries = new QueryClient({
  queryCache: new QueryCache(),
  defaultOptions: {
    queries: {
      // What the server has refused it will refuse again; what did not arrive may arrive.
      retry: (count, failure) =>
        count < LOAD_RETRIES_MAX &&
        failure instanceof ProblemError &&
        (failure.status === 0 || failure.status >= 500),
      refetchOnWindowFocus: false,
      refetchOnReconnect: false,
    },
  },
});

/**
 * Takes up what was asked for before the page's code was there, so that the first picture has it. They were
 * asked for beside an open stream of news, so nothing has happened unseen.
 */
export async function takeFirstAnswers(): Promise<void> {
  if (!hasEarly("/api/accounts")) return;
  const instruments = queries.prefetchQuery(instrumentsQuery);
  const accounts = await queries.fetchQuery(accountsQuery);
  const remembered = usePreferences.getState().accountId;
  const account = accounts.find(({ id }) => id === remembered) ?? accounts[0];
  await Promise.all([
    instruments,
    ...(account === undefined
      ? []
      : [queries.prefetchQuery(balanceQuery(account.id)), queries.prefetchQuery(holdingsQuery(account.id))]),
  ]);
}
