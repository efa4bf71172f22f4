/**
 * The first code of the page. It takes the session up and asks for what the first screen shows, and only then lets the
 * browser work through the rest: on a slow machine the answers are there before the code that shows them.
 */
import "@/app/styles.css";
import { askEarly, takeEarly } from "@/lib/api/early";
import { currentLanguage, loadTexts } from "@/lib/i18n/load";
import { EARLY_WAIT_MS_MAX } from "@/lib/limits";
import { usePreferences } from "@/lib/preferences";
import { accessToken, restoreSession } from "@/lib/session";

// On its way while the server is asked; whoever shows it waits for the same file.
loadTexts(currentLanguage()).catch(() => {});

let isLate = false;

async function askForFirstScreen(): Promise<void> {
  await restoreSession();
  const token = accessToken();
  if (token === null || isLate) return;
  // News first: nothing may happen unseen between an answer and the stream that tells what came after it.
  const events = await askEarly("/api/events", token, true);
  if (!events.ok) {
    takeEarly("/api/events");
    return;
  }
  const ask = (path: string) => askEarly(path, token);
  const accounts = ask("/api/accounts");
  for (const path of ["/api/market/symbols", "/api/market/hours"]) void ask(path);
  const id = usePreferences.getState().accountId ?? (await firstOf(accounts));
  if (id === undefined) return;
  for (const path of ["/api/portfolio", "/api/portfolio/positions"]) void ask(`${path}?accountId=${id}`);
  void ask(`/api/accounts/${id}/balance`);
}

async function firstOf(answer: Promise<Response>): Promise<string | undefined> {
  const { accounts } = (await (await answer).clone().json()) as { accounts?: { id: string }[] };
  return accounts?.[0]?.id;
}

const wait = new Promise<void>((resolve) => setTimeout(resolve, EARLY_WAIT_MS_MAX));
// Whatever becomes of it: the page asks again for what it does not find.
await Promise.race([askForFirstScreen().catch(() => {}), wait]);
isLate = true;
await import("@/main");
