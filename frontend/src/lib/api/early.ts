/**
 * What the first screen needs is asked for while the page's own code is still being read. Each answer is taken once, by
 * the request that would have asked for it, and only while it is fresh.
 */
import { EARLY_ANSWER_MS_MAX, REQUEST_TIMEOUT_MS } from "@/lib/limits";

interface Early {
  answer: Promise<Response>;
  stop: AbortController;
}

const answers = new Map<string, Early>();

/** Asks for an address of this server; `endless` is an answer whose body goes on, and is not timed. */
export function askEarly(path: string, token: string, endless = false): Promise<Response> {
  const stop = new AbortController();
  const signal = endless
    ? stop.signal
    : AbortSignal.any([stop.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]);
  const headers = {
    Authorization: `Bearer ${token}`,
    ...(endless && { Accept: "text/event-stream" }),
  };
  const answer = fetch(path, { headers, signal, ...(endless && { cache: "no-store" as const }) });
  const early = { answer, stop };
  answers.set(path, early);
  // Nobody may ever ask for it; then it must not stay open.
  answer.catch(() => {});
  setTimeout(() => {
    if (answers.get(path) !== early) return;
    answers.delete(path);
    stop.abort();
  }, EARLY_ANSWER_MS_MAX);
  return answer;
}

/** The answer that was asked for early, if there is one. `stop` ends it. */
export function takeEarly(path: string): Early | null {
  const early = answers.get(path) ?? null;
  answers.delete(path);
  return early;
}

/** Whether something was asked for early and nobody has taken it. */
export function hasEarly(path: string): boolean {
  return answers.has(path);
}
