import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import type { Language } from "@/lib/api/types";
import { setPreferences, usePreferences } from "@/lib/preferences";
import { en } from "./en";
import { ko } from "./ko";

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "translation";
    resources: { translation: typeof en };
  }
}

function browserLanguage(): Language {
  return navigator.language.toLowerCase().startsWith("ko") ? "ko" : "en";
}

export function currentLanguage(): Language {
  return usePreferences.getState().language ?? browserLanguage();
}

export async function setUpTexts(): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: currentLanguage(),
    fallbackLng: "en",
    resources: { en: { translation: en }, ko: { translation: ko } },
    // React escapes what it shows.
    interpolation: { escapeValue: false },
  });
  document.documentElement.lang = i18next.language;
}

/** Switches the page and remembers the choice in this browser. */
export function chooseLanguage(language: Language): void {
  setPreferences({ language });
  document.documentElement.lang = language;
  void i18next.changeLanguage(language);
}
