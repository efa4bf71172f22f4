import { useTranslation } from "react-i18next";
import type { AccountMargin } from "@/lib/api/types";
import { formatTime } from "@/lib/format";

/** Says since when too little of the account's own is there, and what to do. */
export function MarginCall({ margin }: { margin: AccountMargin | null }) {
  const { t, i18n } = useTranslation();
  if (margin?.calledAt == null) return null;
  return (
    <p role="alert" className="bg-bad-wash px-4 py-1.5 text-center text-[13px] text-bad">
      {t("margin.called", { since: formatTime(margin.calledAt, i18n.language, true) })}
      {margin.reducedFrom != null &&
        ` ${t("margin.reduced", { from: formatTime(margin.reducedFrom, i18n.language, true) })}`}
    </p>
  );
}
