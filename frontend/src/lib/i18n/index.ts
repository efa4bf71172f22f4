import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import { problemFromFailure } from "@/lib/api/problem";
import type { Language } from "@/lib/api/types";
import { setPreferences } from "@/lib/preferences";
import type { en } from "./en";
import { currentLanguage, loadTexts } from "./load";

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "translation";
    resources: { translation: typeof en };
  }
}

export async function setUpTexts(): Promise<void> {
  const language = currentLanguage();
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: false,
    resources: { [language]: { translation: await loadTexts(language) } },
    // React escapes what it shows.
    interpolation: { escapeValue: false },
  });
  document.documentElement.lang = i18next.language;
}

/** Has the page speak a language, whose texts may have to be fetched first. */
export async function speak(language: Language): Promise<void> {
  if (!i18next.hasResourceBundle(language, "translation")) {
    const texts = await loadTexts(language).catch((failure: unknown) => {
      throw problemFromFailure(failure);
    });
    i18next.addResourceBundle(language, "translation", texts);
  }
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}

/** Switches the page and remembers the choice in this browser; rejects, with nothing changed, where the texts cannot be had. */
export async function chooseLanguage(language: Language): Promise<void> {
  await speak(language);
  setPreferences({ language });
}
