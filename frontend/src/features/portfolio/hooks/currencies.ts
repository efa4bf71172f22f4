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

export interface CurrencyPart {
  currency: Currency;
  total: Decimal;
  percent: Decimal;
}

/** An amount in won, at so many for a dollar. */
export function inWon({ currency, total }: Pick<CurrencyPart, "currency" | "total">, wonForDollar: Decimal) {
  return currency === "KRW" ? total : total.times(wonForDollar);
}

/** What each currency is of the whole, in percent, at so many won for a dollar. Null where there is no whole. */
export function betweenCurrencies(totals: readonly Total[], wonForDollar: Decimal): CurrencyPart[] | null {
  const known = totals.flatMap(({ currency, total }) => (total === null ? [] : [{ currency, total }]));
  const whole = sum(known.map((part) => inWon(part, wonForDollar)));
  const isDebt = known.some(({ total }) => total.isNegative() && !total.isZero());
  if (known.length < totals.length || isDebt || !whole.greaterThan(0)) return null;
  return known.map((part) => ({ ...part, percent: inWon(part, wonForDollar).dividedBy(whole).times(100) }));
}
