import type { Currency } from "@/lib/api/types";
import type { Decimal } from "@/lib/decimal";
import { DIRECTION_CLASS, directionOf, formatGain, formatPercent } from "@/lib/format";

interface Props {
  amount: string | Decimal | null | undefined;
  currency: Currency;
  percent?: string | Decimal | null | undefined;
}

/** A gain or loss in its colour, with its sign, and in percent where that is known. */
export function Gain({ amount, currency, percent }: Props) {
  if (amount === null || amount === undefined) return <span className="text-soft">–</span>;
  return (
    <span className={DIRECTION_CLASS[directionOf(amount)]}>
      {formatGain(amount, currency)}
      {percent !== null && percent !== undefined && (
        <span className="ml-1.5 text-[0.9em] @max-md:ml-0 @max-md:block">{formatPercent(percent)}</span>
      )}
    </span>
  );
}
