import { api, unwrap } from "@/lib/api/client";
import type { Language } from "@/lib/api/types";
import { replaceUser } from "@/lib/session";

/** Remembers the language on the server too: mails and messages are written in it. */
export async function saveLanguage(language: Language): Promise<void> {
  replaceUser(await unwrap(api.PUT("/api/users/profile", { body: { language } })));
}
