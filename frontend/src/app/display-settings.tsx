import { useTranslation } from "react-i18next";
import { saveLanguage } from "@/features/auth/api/profile";
import type { Language } from "@/lib/api/types";
import { chooseLanguage } from "@/lib/i18n";
import { problemSentence } from "@/lib/i18n/sentences";
import { setPreferences, type Theme, usePreferences } from "@/lib/preferences";
import { useSession } from "@/lib/session";
import { showToast } from "@/lib/toasts";
import { Segmented } from "@/lib/ui/segmented";

export function useRisingColour(): "red" | "green" {
  const { i18n } = useTranslation();
  return usePreferences((state) => state.risingColour) ?? (i18n.language === "ko" ? "red" : "green");
}

export function LanguageSwitch() {
  const { t, i18n } = useTranslation();
  const signedIn = useSession((state) => state.status === "signedIn");
  const choose = (language: Language) => {
    const chosen = chooseLanguage(language).then(() => (signedIn ? saveLanguage(language) : undefined));
    chosen.catch((failure) => showToast({ tone: "bad", title: problemSentence(failure) }));
  };
  return (
    <Segmented
      legend={t("header.language")}
      legendHidden
      size="small"
      value={i18n.language === "ko" ? "ko" : "en"}
      onChange={choose}
      options={[
        { value: "ko", label: "한국어" },
        { value: "en", label: "English" },
      ]}
    />
  );
}

export function RisingColourSwitch() {
  const { t } = useTranslation();
  const colour = useRisingColour();
  return (
    <Segmented
      legend={t("header.risingColour")}
      legendHidden
      size="small"
      value={colour}
      onChange={(risingColour) => setPreferences({ risingColour })}
      options={[
        { value: "red", label: t("header.risingRed") },
        { value: "green", label: t("header.risingGreen") },
      ]}
    />
  );
}

const THEMES: readonly Theme[] = ["system", "light", "dark"];

export function ThemeSwitch() {
  const { t } = useTranslation();
  const theme = usePreferences((state) => state.theme);
  return (
    <Segmented
      legend={t("header.theme")}
      legendHidden
      size="small"
      value={theme}
      onChange={(chosen) => setPreferences({ theme: chosen })}
      options={THEMES.map((value) => ({ value, label: t(`header.theme_${value}`) }))}
    />
  );
}
