import { Decimal } from "@/lib/decimal";

/** A step between legal prices, and from which price on it holds, up to the next one's. */
export interface PriceStep {
  from: string;
  step: string;
}

/** The steps of a share or fund as the server tells them: the lowest first, from zero. */
export type PriceGrid = readonly [PriceStep, ...PriceStep[]];

/** The step in which a price may move here. */
export function tickSize(price: Decimal, grid: PriceGrid): Decimal {
  const band = grid.findLast(({ from }) => price.greaterThanOrEqualTo(from)) ?? grid[0];
  return new Decimal(band.step);
}

/** The next valid price above (+1) or below (−1); a price between two steps moves to the nearer one on that side. */
export function stepPrice(price: Decimal, grid: PriceGrid, direction: 1 | -1): Decimal {
  const above = tickSize(price, grid);
  // Going down from the foot of a band, the band below sets the step.
  const tick = direction === 1 ? above : tickSize(price.minus(above.dividedBy(100)), grid);
  const rest = price.modulo(tick);
  const floor = price.minus(rest);
  if (direction === 1) return floor.plus(tick);
  const below = rest.isZero() ? price.minus(tick) : floor;
  return below.greaterThan(0) ? below : tick;
}

/** The valid price nearest to this one. */
export function roundToTick(price: Decimal, grid: PriceGrid): Decimal {
  const tick = tickSize(price, grid);
  return price.dividedBy(tick).toDecimalPlaces(0).times(tick);
}
