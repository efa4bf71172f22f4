import DecimalLight, { type Numeric } from "decimal.js-light";

/**
 * Exact decimals for everything that is money, a price or a quantity. Forty digits hold any product of two of the
 * server's numbers; halves round to even, as they do there.
 */
export const Decimal = DecimalLight.clone({ precision: 40, rounding: DecimalLight.ROUND_HALF_EVEN });
export type Decimal = DecimalLight;

export const ZERO = new Decimal(0);

/** Digits that the server takes before and behind the point. */
export const INTEGER_DIGITS_MAX = 15;
export const FRACTION_DIGITS_MAX = 9;
const PLAIN = /^-?0*(\d{1,15})(\.\d{1,9}0*)?$/;
const ANY_LENGTH = /^-?0*(\d+)(?:\.(\d+?)0*)?$/;

/** Reads what a person typed: plain digits, an optional point, thousands separators allowed. */
export function parseDecimal(text: string): Decimal | null {
  const plain = text.trim().replaceAll(",", "");
  return PLAIN.test(plain) ? new Decimal(plain) : null;
}

/** Why a number that was typed is none that can be sent. */
export type NumberFault = "notANumber" | "tooLarge" | "tooPrecise";

export function numberFault(text: string): NumberFault | null {
  const match = ANY_LENGTH.exec(text.trim().replaceAll(",", ""));
  if (match === null) return "notANumber";
  const [, integer = "", fraction = ""] = match;
  if (integer.length > INTEGER_DIGITS_MAX) return "tooLarge";
  return fraction.length > FRACTION_DIGITS_MAX ? "tooPrecise" : null;
}

/** A decimal as the server wants it: plain digits, no exponent. */
export function plainText(value: Decimal): string {
  return value.toFixed();
}

export function sum(values: Iterable<Numeric>): Decimal {
  let total: Decimal = ZERO;
  for (const value of values) total = total.plus(value);
  return total;
}
