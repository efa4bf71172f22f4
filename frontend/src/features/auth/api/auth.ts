import { publicApi, unwrap } from "@/lib/api/client";
import type { Language, Session } from "@/lib/api/types";
import { endSession, startSession } from "@/lib/session";

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

/** Ends the session here whatever the server says: whoever signs out must not stay signed in on this screen. */
export async function signOut(): Promise<void> {
  try {
    await unwrap(publicApi.POST("/api/auth/logout", { body: {} }));
  } finally {
    endSession();
  }
}
