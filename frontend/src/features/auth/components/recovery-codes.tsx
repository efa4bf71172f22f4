import { useTranslation } from "react-i18next";
import { Button } from "@/lib/ui/button";
import { Notice } from "@/lib/ui/notice";
import { forgetFreshCodes, useFreshCodes } from "../api/recovery-codes";
import { CopyButton } from "./copy-button";

/** The codes for whoever loses the app, until their owner has them on paper. */
export function FreshRecoveryCodes() {
  const { t } = useTranslation();
  const codes = useFreshCodes((state) => state.codes);
  if (codes.length === 0) return null;
  return (
    <section className="mb-4 space-y-3 rounded-xl border border-line bg-panel p-4">
      <h2 className="font-semibold">{t("twoFactor.recoveryTitle")}</h2>
      <Notice tone="warn">{t("twoFactor.recoveryOnce")}</Notice>
      <ul data-testid="recovery-codes" className="grid grid-cols-2 gap-1 text-[13px] max-sm:grid-cols-1">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <div className="flex gap-2">
        <CopyButton text={codes.join("\n")} />
        <Button size="small" onClick={forgetFreshCodes}>
          {t("twoFactor.recoveryKept")}
        </Button>
      </div>
    </section>
  );
}
