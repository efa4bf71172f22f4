import { useTranslation } from "react-i18next";
import { Profile } from "@/features/auth/components/profile";
import { TwoFactor } from "@/features/auth/components/two-factor";
import { setPreferences, usePreferences } from "@/lib/preferences";
import { useSession } from "@/lib/session";
import { Panel } from "@/lib/ui/panel";
import { LanguageSwitch, RisingColourSwitch, ThemeSwitch } from "../display-settings";

/** How the page looks and behaves, how one signs in, and which keys do what. */
export function SettingsRoom() {
  const { t } = useTranslation();
  const user = useSession((state) => state.user);
  const confirms = usePreferences((state) => state.confirmOrders);
  return (
    <div className="mx-auto w-full max-w-4xl gap-3 p-3 md:columns-2 [&>section]:mb-3 [&>section]:break-inside-avoid">
      <h1 className="sr-only">{t("header.settings")}</h1>
      <Panel title={t("settings.display")}>
        <div className="space-y-3 p-3 pt-0">
          <LanguageSwitch />
          <ThemeSwitch />
          <RisingColourSwitch />
        </div>
      </Panel>
      <Panel title={t("settings.trading")}>
        <div className="space-y-2 p-3 pt-0 text-[13px]">
          <label className="flex items-center gap-2">
            <input
              type="checkbox"
              checked={confirms}
              onChange={(event) => setPreferences({ confirmOrders: event.target.checked })}
            />
            {t("settings.confirmOrders")}
          </label>
          <p className="text-soft text-xs">{t("settings.confirmOrdersHint")}</p>
        </div>
      </Panel>
      <Panel title={t("profile.title")}>
        <div className="p-3 pt-0">{user !== null && <Profile user={user} />}</div>
      </Panel>
      <Panel title={t("header.twoFactor")}>
        <div className="p-3 pt-0">{user !== null && <TwoFactor enabled={user.totpEnabled} />}</div>
      </Panel>
      <Panel title={t("settings.keys")}>
        <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1.5 p-3 pt-0 text-[13px]">
          {(["b", "s", "/", "Enter", "Esc", "↑ ↓", "j k", "1 … 4"] as const).map((key, index) => (
            <Key key={key} name={key} meaning={t(`settings.key${index + 1}` as "settings.key1")} />
          ))}
        </dl>
      </Panel>
    </div>
  );
}

function Key({ name, meaning }: { name: string; meaning: string }) {
  return (
    <>
      <dt>
        <kbd className="rounded border border-line bg-raised px-1.5 py-0.5 text-xs">{name.toUpperCase()}</kbd>
      </dt>
      <dd className="text-soft">{meaning}</dd>
    </>
  );
}
