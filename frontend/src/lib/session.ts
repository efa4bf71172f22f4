/**
 * Who is signed in. The access token lives in this module's memory and nowhere else; the refresh token is a cookie
 * that scripts cannot read. Renewal is single-flight: in this page by one shared promise, between tabs by a lock,
 * because a refresh token that is used twice ends the whole session.
 */
import { create } from "zustand";
import type { Session, User } from "@/lib/api/types";
import { reconnectWaitMs } from "@/lib/backoff";
import { RENEWAL_SETTLE_MS, REQUEST_TIMEOUT_MS, TOKEN_RENEWAL_MARGIN_MS } from "@/lib/limits";

type SessionState =
  | { status: "restoring" | "unreachable" | "anonymous"; user: null }
  | { status: "signedIn"; user: User };

/**
 * Says only that a session may exist; without it the first visit asks the server for nothing. While a renewal is under
 * way it holds the time of its start.
 */
const HINT_KEY = "gaemi.session";
const HINT_SETTLED = "1";
const LOCK_NAME = "gaemi.session.renewal";

const LOGOUT = {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: "{}",
  keepalive: true,
};

export const useSession = create<SessionState>(() => ({ status: "restoring", user: null }));

let token: string | null = null;
let renewal: Promise<string | null> | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;
/** How many sessions have ended here: a renewal that is still under way then belongs to none any more. */
let ended = 0;

export function accessToken(): string | null {
  return token;
}

export function startSession(session: Session): void {
  token = session.accessToken;
  localStorage.setItem(HINT_KEY, HINT_SETTLED);
  useSession.setState({ status: "signedIn", user: session.user }, true);
  clearTimeout(timer);
  const waitMs = Math.max(
    session.expiresInSeconds * 1000 - TOKEN_RENEWAL_MARGIN_MS,
    TOKEN_RENEWAL_MARGIN_MS / 2,
  );
  timer = setTimeout(() => void renewQuietly(session.accessToken, 0), waitMs);
}

export function endSession(): void {
  ended += 1;
  token = null;
  clearTimeout(timer);
  localStorage.removeItem(HINT_KEY);
  useSession.setState({ status: "anonymous", user: null }, true);
}

/**
 * Puts another session in the place of this one. A renewal that is under way is waited for: it would come back with the
 * session that has just been ended.
 */
export async function exchangeSession(ask: () => Promise<Session>): Promise<void> {
  await renewal?.catch(() => null);
  startSession(await ask());
}

export function replaceUser(user: User): void {
  if (useSession.getState().status === "signedIn") useSession.setState({ status: "signedIn", user }, true);
}

/** Takes the session up again after a reload. */
export async function restoreSession(): Promise<void> {
  if (localStorage.getItem(HINT_KEY) === null) return endSession();
  for (let attempt = 0; useSession.getState().status !== "signedIn"; attempt += 1) {
    try {
      await renewSession(null);
      return;
    } catch {
      useSession.setState({ status: "unreachable", user: null }, true);
      await new Promise((resolve) => setTimeout(resolve, reconnectWaitMs(attempt)));
    }
  }
}

/**
 * A new access token in place of `stale`, or null where the session has ended. Throws where the server could not be
 * asked: then nothing is known and the session stays.
 */
export function renewSession(stale: string | null): Promise<string | null> {
  if (token !== null && token !== stale) return Promise.resolve(token);
  renewal ??= underLock(requestRenewal).finally(() => {
    renewal = null;
  });
  return renewal;
}

async function renewQuietly(stale: string, attempt: number): Promise<void> {
  const endedBefore = ended;
  try {
    await renewSession(stale);
  } catch {
    if (ended !== endedBefore) return;
    timer = setTimeout(() => void renewQuietly(stale, attempt + 1), reconnectWaitMs(attempt));
  }
}

/**
 * A page that was left in the middle of a renewal never saw its answer. The browser still takes the new cookie from
 * it, a moment later; asking before that would use the old one twice.
 */
async function waitForRenewalOfPageBefore(): Promise<void> {
  const started = Number(localStorage.getItem(HINT_KEY));
  const waitMs = started + RENEWAL_SETTLE_MS - Date.now();
  if (waitMs > 0 && waitMs <= RENEWAL_SETTLE_MS) await new Promise((resolve) => setTimeout(resolve, waitMs));
}

async function requestRenewal(): Promise<string | null> {
  const endedBefore = ended;
  await waitForRenewalOfPageBefore();
  localStorage.setItem(HINT_KEY, String(Date.now()));
  const response = await fetch("/api/auth/refresh", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: "{}",
    // Goes on when the page is left, so that the browser gets the new cookie.
    keepalive: true,
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  if (ended !== endedBefore) {
    // Whoever signed out meanwhile must not be signed in by the answer, here or after a reload.
    if (response.ok) void fetch("/api/auth/logout", LOGOUT);
    return null;
  }
  localStorage.setItem(HINT_KEY, HINT_SETTLED);
  if (response.ok) {
    const session = (await response.json()) as Session;
    startSession(session);
    return session.accessToken;
  }
  if (response.status === 429 || response.status >= 500) throw new Error(`HTTP ${response.status}`);
  endSession();
  return null;
}

/** Locks between tabs exist only on secure pages; elsewhere the shared promise has to do. */
function underLock<Result>(work: () => Promise<Result>): Promise<Result> {
  if (!("locks" in navigator)) return work();
  return navigator.locks.request(LOCK_NAME, work) as Promise<Result>;
}
