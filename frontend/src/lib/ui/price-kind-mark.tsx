import { useTranslation } from "react-i18next";
import type { PriceKind } from "@/lib/quotes/quote";

/** Says beside a price what kind it is; invented prices catch the eye. */
export function PriceKindMark({ kind, small = false }: { kind: PriceKind; small?: boolean }) {
  const { t } = useTranslation();
  const look = kind === "simulated" ? "bg-warn-wash text-warn" : "bg-raised text-soft";
  return (
    <span
      title={t(`status.${kind}Help`)}
      className={`rounded font-normal ${small ? "px-1 text-[10px]" : "px-1.5 py-px text-xs"} ${look}`}
    >
      {t(small && kind === "simulated" ? "status.simulatedShort" : `status.${kind}`)}
    </span>
  );
}
