import type { Currency } from "@/lib/api/types";
import { type Decimal, parseDecimal } from "@/lib/decimal";
import { MINOR_DIGITS } from "@/lib/format";

/** Cash typed: above zero, in whole minor units of its currency. */
export function readAmount(text: string, currency: Currency): Decimal | null {
  const amount = parseDecimal(text);
  if (amount === null || !amount.greaterThan(0)) return null;
  return amount.decimalPlaces() <= MINOR_DIGITS[currency] ? amount : null;
}
