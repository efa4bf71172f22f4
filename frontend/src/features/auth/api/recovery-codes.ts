import { create } from "zustand";
import { api, unwrap } from "@/lib/api/client";

/**
 * Codes that the server shows once. They are kept in this page's memory until their owner says that they are written
 * down, because the session in which they were made ends at once.
 */
export const useFreshCodes = create<{ codes: readonly string[] }>(() => ({ codes: [] }));

export function showFreshCodes(codes: readonly string[]): void {
  useFreshCodes.setState({ codes });
}

export function forgetFreshCodes(): void {
  useFreshCodes.setState({ codes: [] });
}

/** Other codes in the place of those from before. */
export async function replaceRecoveryCodes(password: string, code: string): Promise<void> {
  const answer = await unwrap(api.POST("/api/users/2fa/recovery-codes", { body: { password, code } }));
  showFreshCodes(answer.recoveryCodes);
}

export async function recoveryCodesLeft(): Promise<number> {
  return (await unwrap(api.GET("/api/users/2fa/recovery-codes"))).recoveryCodesLeft;
}

const APP_CODE = /^\d{6}$/;

/** What was typed where both a code of the app and a recovery code will do: six digits are of the app. */
export function secondFactor<Field extends string>(typed: string, appField: Field) {
  return APP_CODE.test(typed) ? ({ [appField]: typed } as Record<Field, string>) : { recoveryCode: typed };
}
