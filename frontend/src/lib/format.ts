import type { Currency } from "@/lib/api/types";
import { Decimal } from "@/lib/decimal";

const MINUS = "\u2212";

/** Digits behind the point in which cash of a currency is kept. */
export const MINOR_DIGITS: Record<Currency, number> = { KRW: 0, USD: 2 };
const SYMBOLS: Record<Currency, string> = { KRW: "₩", USD: "$" };

type Amount = string | Decimal;

function grouped(value: Decimal, digits: number): string {
  const [integer = "0", fraction] = value.abs().toFixed(digits).split(".");
  const groups = integer.replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? groups : `${groups}.${fraction}`;
}

function withSign(value: Decimal, digits: number, plus: boolean, prefix = ""): string {
  const rounded = value.toDecimalPlaces(digits);
  const sign =
    rounded.isNegative() && !rounded.isZero()
      ? MINUS
      : plus && rounded.isPositive() && !rounded.isZero()
        ? "+"
        : "";
  return `${sign}${prefix}${grouped(rounded, digits)}`;
}

/** An amount of cash without its currency: `1,234.50`, `−1,234`. */
export function formatCash(amount: Amount, currency: Currency): string {
  return withSign(new Decimal(amount), MINOR_DIGITS[currency], false);
}

/** An amount of cash with its currency's sign: `$1,234.50`, `₩1,234`. */
export function formatMoney(amount: Amount, currency: Currency): string {
  return withSign(new Decimal(amount), MINOR_DIGITS[currency], false, SYMBOLS[currency]);
}

/** A gain or loss: always with its sign. */
export function formatGain(amount: Amount, currency: Currency): string {
  return withSign(new Decimal(amount), MINOR_DIGITS[currency], true);
}

/** A price: at least the currency's digits, more where the price has more (up to four). */
export function formatPrice(price: Amount, currency: Currency): string {
  const value = new Decimal(price);
  const digits = Math.max(MINOR_DIGITS[currency], Math.min(value.decimalPlaces(), 4));
  return withSign(value, digits, false);
}

/** A number of shares, with no more digits than it has. */
export function formatQuantity(quantity: Amount): string {
  const value = new Decimal(quantity);
  return withSign(value, value.decimalPlaces(), false);
}

export function formatPercent(percent: Amount): string {
  return `${withSign(new Decimal(percent), 2, true)}%`;
}

/** An amount that may be missing: a dash in its place. */
export function orDash(amount: Amount | null | undefined, format: (amount: Amount) => string): string {
  return amount === null || amount === undefined ? "–" : format(amount);
}

export function isZero(amount: Amount): boolean {
  return new Decimal(amount).isZero();
}

/** Which way a number points; colours are chosen by it. */
export type Direction = "up" | "down" | "flat";

export function directionOf(amount: Amount | null | undefined): Direction {
  if (amount === null || amount === undefined) return "flat";
  const value = new Decimal(amount);
  if (value.isZero()) return "flat";
  return value.isNegative() ? "down" : "up";
}

export const DIRECTION_CLASS: Record<Direction, string> = {
  up: "text-up",
  down: "text-down",
  flat: "text-soft",
};

const clocks = new Map<string, Intl.DateTimeFormat>();

/** A way to write moments. Making one is dear, so each is made once; there are a handful of them. */
export function clockOf(language: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language} ${JSON.stringify(options)}`;
  const known = clocks.get(key);
  if (known !== undefined) return known;
  const clock = new Intl.DateTimeFormat(language, options);
  clocks.set(key, clock);
  return clock;
}

/** The time of day of a moment of today, in seconds since 1970. */
export function formatClock(seconds: number, language: string): string {
  return clockOf(language, { timeStyle: "medium", hourCycle: "h23" }).format(seconds * 1000);
}

/** A moment by the reader's clock; with its year where it may be long ago. */
export function formatTime(time: string, language: string, withYear = false): string {
  return clockOf(language, {
    ...(withYear && { year: "numeric" }),
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  }).format(new Date(time));
}

/** Where the markets are in which a currency is traded. */
const MARKET_ZONES: Record<Currency, string> = { KRW: "Asia/Seoul", USD: "America/New_York" };

/** A moment by the clock of a market, with the name of its zone: `11/20, 09:30:00 EST`. */
export function formatMarketTime(time: string, currency: Currency, language: string): string {
  return clockOf(language, {
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    timeZone: MARKET_ZONES[currency],
    timeZoneName: "short",
  }).format(new Date(time));
}

/** The day of a moment by the reader's calendar, in words. */
export function formatDate(time: string, language: string): string {
  return clockOf(language, { dateStyle: language === "ko" ? "long" : "medium" }).format(new Date(time));
}

/** A calendar day in words: `Feb 23, 2006`, `2006년 2월 23일`. */
export function formatDay(isoDate: string, language: string): string {
  const day = new Date(`${isoDate}T00:00:00Z`);
  return clockOf(language, {
    dateStyle: language === "ko" ? "long" : "medium",
    timeZone: "UTC",
  }).format(day);
}
