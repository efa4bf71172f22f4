import { api, unwrap } from "@/lib/api/client";
import { endSession } from "@/lib/session";
import { secondFactor, showFreshCodes } from "./recovery-codes";

/** The key that goes into an authenticator app. Nothing changes for signing in until a first code confirms it. */
export function beginTwoFactor() {
  return unwrap(api.POST("/api/users/2fa/enable", { body: {} }));
}

/** Turns two-factor login on. The server ends every session, this one too; its recovery codes are shown until kept. */
export async function confirmTwoFactor(code: string): Promise<void> {
  const answer = await unwrap(api.POST("/api/users/2fa/confirm", { body: { code } }));
  showFreshCodes(answer.recoveryCodes);
  endSession();
}

/** Turns it off, with a code of the app or a recovery code; the server ends every session. */
export async function disableTwoFactor(password: string, typed: string): Promise<void> {
  const body = { password, ...secondFactor(typed, "code") };
  await unwrap(api.POST("/api/users/2fa/disable", { body }));
  endSession();
}
