import { api, unwrap } from "@/lib/api/client";
import type { Language } from "@/lib/api/types";
import { exchangeSession, replaceUser } from "@/lib/session";
import { secondFactor } from "./recovery-codes";

/** Remembers the language on the server too: mails and messages are written in it. */
export async function saveLanguage(language: Language): Promise<void> {
  replaceUser(await unwrap(api.PUT("/api/users/profile", { body: { language } })));
}

/** Changes how the user is called; an empty name takes it away. */
export async function saveDisplayName(name: string): Promise<void> {
  const displayName = name === "" ? null : name;
  replaceUser(await unwrap(api.PUT("/api/users/profile", { body: { displayName } })));
}

export interface PasswordChange {
  currentPassword: string;
  newPassword: string;
  /** A code of the app or a recovery code, where two-factor login is on. */
  code: string;
}

/** Changes the password. The server ends every session; this page goes on with the one that it is given for it. */
export function changePassword({ currentPassword, newPassword, code }: PasswordChange): Promise<void> {
  const body = {
    currentPassword,
    newPassword,
    ...(code !== "" && secondFactor(code, "code")),
    deliverRefreshToken: "cookie" as const,
  };
  return exchangeSession(() => unwrap(api.POST("/api/users/password", { body })));
}
