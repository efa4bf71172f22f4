import { create } from "zustand";
import { publicApi, unwrap } from "@/lib/api/client";
import { ProblemError } from "@/lib/api/problem";
import type { Language, Session } from "@/lib/api/types";
import { reconnectWaitMs } from "@/lib/backoff";
import { endSession, startSession, useSession } from "@/lib/session";

export interface Credentials {
  email: string;
  password: string;
  totpCode?: string;
  recoveryCode?: string;
}

export async function signIn(credentials: Credentials): Promise<void> {
  const session: Session = await unwrap(
    publicApi.POST("/api/auth/login", { body: { ...credentials, deliverRefreshToken: "cookie" } }),
  );
  startSession(session);
}

/** Whether one can become a user: on a server for one person only the first can. */
export async function registrationIsOpen(): Promise<boolean> {
  return (await unwrap(publicApi.GET("/api/auth/registration"))).isOpen;
}

export async function signUp(
  registration: Credentials & { displayName?: string; language: Language },
): Promise<void> {
  const { email, password } = registration;
  await unwrap(publicApi.POST("/api/auth/register", { body: registration }));
  await signIn({ email, password });
}

/** Whether a session has ended here of which the server knows nothing yet: it still takes the browser's cookie. */
export const useUntoldEnd = create(() => false);

/**
 * Ends the session here whatever the server says: whoever signs out must not stay signed in on this screen. A server that
 * does not answer is told as soon as it does.
 */
export async function signOut(): Promise<void> {
  const heard = await tellEnd();
  endSession();
  useUntoldEnd.setState(!heard, true);
  if (!heard) void tellEndUntilHeard();
}

/** Whether the server has heard it. */
async function tellEnd(): Promise<boolean> {
  try {
    await unwrap(publicApi.POST("/api/auth/logout", { body: {} }));
    return true;
  } catch (error) {
    // Refused otherwise, there is no session any more.
    return error instanceof ProblemError && error.status < 500 && error.status !== 429;
  }
}

async function tellEndUntilHeard(): Promise<void> {
  for (let attempt = 0; useUntoldEnd.getState(); attempt += 1) {
    await new Promise((resolve) => setTimeout(resolve, reconnectWaitMs(attempt)));
    // The cookie of whoever has signed in since is another one.
    const isOver = useSession.getState().status === "signedIn" || (await tellEnd());
    if (isOver) useUntoldEnd.setState(false, true);
  }
}
