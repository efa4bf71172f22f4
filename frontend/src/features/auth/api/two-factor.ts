import { api, unwrap } from "@/lib/api/client";
import { endSession } from "@/lib/session";

/** The key that goes into an authenticator app. Nothing changes for signing in until a first code confirms it. */
export function beginTwoFactor() {
  return unwrap(api.POST("/api/users/2fa/enable", { body: {} }));
}

/** Turns two-factor login on. The server ends every session, this one too. */
export async function confirmTwoFactor(code: string): Promise<void> {
  await unwrap(api.POST("/api/users/2fa/confirm", { body: { code } }));
  endSession();
}

/** Turns it off; the server ends every session. */
export async function disableTwoFactor(password: string, code: string): Promise<void> {
  await unwrap(api.POST("/api/users/2fa/disable", { body: { password, code } }));
  endSession();
}
