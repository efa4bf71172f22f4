/** Which language the page speaks, and its texts: only those of one language are fetched before the first screen. */
import type { Language } from "@/lib/api/types";
import { usePreferences } from "@/lib/preferences";
import type { en } from "./en";
import type { Texts } from "./texts";

function browserLanguage(): Language {
  return navigator.language.toLowerCase().startsWith("ko") ? "ko" : "en";
}

export function currentLanguage(): Language {
  return usePreferences.getState().language ?? browserLanguage();
}

/** The texts of a language. */
export async function loadTexts(language: Language): Promise<Texts<typeof en>> {
  return language === "ko" ? (await import("./ko")).ko : (await import("./en")).en;
}
