import type { Currency } from "@/lib/api/types";
import { type Decimal, parseDecimal, sum } from "@/lib/decimal";

/** What a rate that was typed says; null where it says nothing. */
export function readRate(text: string): Decimal | null {
  const rate = parseDecimal(text);
  return rate?.greaterThan(0) ? rate : null;
}

interface Total {
  currency: Currency;
  /** Null while a share has no price. */
  total: Decimal | null;
}

interface CurrencyPart {
  currency: Currency;
  total: Decimal;
  percent: Decimal;
}

/** What each currency is of the whole, in percent, at so many won for a dollar. Null where there is no whole. */
export function betweenCurrencies(totals: readonly Total[], wonForDollar: Decimal): CurrencyPart[] | null {
  const inWon = ({ currency, total }: { currency: Currency; total: Decimal }) =>
    currency === "KRW" ? total : total.times(wonForDollar);
  const known = totals.flatMap(({ currency, total }) => (total === null ? [] : [{ currency, total }]));
  const whole = sum(known.map(inWon));
  const isDebt = known.some(({ total }) => total.isNegative() && !total.isZero());
  if (known.length < totals.length || isDebt || !whole.greaterThan(0)) return null;
  return known.map((part) => ({ ...part, percent: inWon(part).dividedBy(whole).times(100) }));
}
