import { useTranslation } from "react-i18next";
import type { PriceKind } from "@/lib/quotes/quote";

/** Says beside a price what kind it is; invented prices catch the eye. */
export function PriceKindMark({ kind }: { kind: PriceKind }) {
  const { t } = useTranslation();
  const look = kind === "simulated" ? "bg-warn-wash text-warn" : "bg-raised text-soft";
  return (
    <span title={t(`status.${kind}Help`)} className={`rounded px-1.5 py-px font-normal text-xs ${look}`}>
      {t(`status.${kind}`)}
    </span>
  );
}
