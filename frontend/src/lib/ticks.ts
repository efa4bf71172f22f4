import type { Currency } from "@/lib/api/types";
import { Decimal } from "@/lib/decimal";

/** Lower bound of a price band and the step inside it. Source: KRX, in force since 2023-01-25. */
const KRX_BANDS: readonly (readonly [string, string])[] = [
  ["500000", "1000"],
  ["200000", "500"],
  ["50000", "100"],
  ["20000", "50"],
  ["5000", "10"],
  ["2000", "5"],
  ["0", "1"],
];

/**
 * The step in which a limit price may move at this price; US: Rule 612 of the SEC. Korean funds have finer steps (5 KRW), of
 * which each of these is a multiple: where it leads is legal for them as well.
 */
export function tickSize(price: Decimal, currency: Currency): Decimal {
  if (currency === "USD") return new Decimal(price.lessThan(1) ? "0.0001" : "0.01");
  const band = KRX_BANDS.find(([from]) => price.greaterThanOrEqualTo(from));
  return new Decimal(band?.[1] ?? "1");
}

/** The next valid price above (+1) or below (−1); a price between two steps moves to the nearer one on that side. */
export function stepPrice(price: Decimal, currency: Currency, direction: 1 | -1): Decimal {
  const above = tickSize(price, currency);
  // Going down from the foot of a band, the band below sets the step.
  const tick = direction === 1 ? above : tickSize(price.minus(above.dividedBy(100)), currency);
  const rest = price.modulo(tick);
  const floor = price.minus(rest);
  if (direction === 1) return floor.plus(tick);
  const below = rest.isZero() ? price.minus(tick) : floor;
  return below.greaterThan(0) ? below : tick;
}

/** The valid price nearest to this one. */
export function roundToTick(price: Decimal, currency: Currency): Decimal {
  const tick = tickSize(price, currency);
  return price.dividedBy(tick).toDecimalPlaces(0).times(tick);
}
