import { useTranslation } from "react-i18next";
import type { OrderPreview } from "@/lib/api/types";
import { Decimal } from "@/lib/decimal";
import { formatPrice } from "@/lib/format";
import { Notice } from "@/lib/ui/notice";

/** Limits that the order keeps, but only just. */
export function NearLimits({ estimate }: { estimate: OrderPreview }) {
  const { t } = useTranslation();
  const { nearLimits, currency } = estimate;
  if (nearLimits.length === 0) return null;
  return (
    <Notice tone="warn">
      {nearLimits.map(({ limit, reached, bound }) => (
        <p key={limit}>
          {t(`ticket.near.${limit}`, {
            percent: percentOf(reached, bound),
            bound: formatPrice(bound, currency),
          })}
        </p>
      ))}
    </Notice>
  );
}

/** Whole percent, rounded down: what is not reached is not said to be. */
function percentOf(reached: string, bound: string): string {
  const ROUND_DOWN = 1;
  return new Decimal(reached).dividedBy(bound).times(100).toDecimalPlaces(0, ROUND_DOWN).toString();
}
