import type { CostMethod, Lot, OrderPreview, PlaceOrder, Position } from "@/lib/api/types";
import { Decimal, sum, ZERO } from "@/lib/decimal";

/** What is known of the account before the order. */
export interface Before {
  cash: string;
  /** Cash and shares at the prices of now, in the account's currency; null where a share has no price. */
  worth: Decimal | null;
  position: Position | undefined;
  /** Its open lots in the order in which they are sold; undefined while they are not known. */
  lots: readonly Lot[] | undefined;
  lastPrice: string | undefined;
}

export interface SoldLot {
  acquiredOn: string;
  quantity: Decimal;
  gain: Decimal;
}

/** What an order would change if it were executed as estimated. Null where something needed is not known. */
export interface Consequences {
  cashAfter: Decimal | null;
  sharesBefore: Decimal;
  sharesAfter: Decimal | null;
  /** How much of the account's worth the symbol would be, in percent. */
  shareOfWorthAfter: Decimal | null;
  /** How far its limit or stop price is from the last price, in percent: below zero is below it. */
  distancePercent: Decimal | null;
  /**
   * Of what it closes, before fees: what that brings less what the shares have cost, by the account's way of counting. Shares
   * sold short are closed by buying them back.
   */
  gain: Decimal | null;
  soldLots: SoldLot[];
}

export const PERCENT = new Decimal(100);

export function consequencesOf(order: PlaceOrder, estimate: OrderPreview, before: Before): Consequences {
  const buys = order.side === "buy";
  const price = new Decimal(estimate.estimatedPrice);
  const quantity = estimate.quantity == null ? null : new Decimal(estimate.quantity);
  const sharesBefore = new Decimal(before.position?.quantity ?? 0);
  const sharesAfter = quantity && (buys ? sharesBefore.plus(quantity) : sharesBefore.minus(quantity));
  const fees = new Decimal(estimate.commission ?? 0).plus(estimate.tax ?? 0);
  const total = estimate.total == null ? null : new Decimal(estimate.total);
  return {
    cashAfter: total && (buys ? new Decimal(before.cash).minus(total) : new Decimal(before.cash).plus(total)),
    sharesBefore,
    sharesAfter,
    shareOfWorthAfter: shareOfWorth(sharesAfter, price, before.worth?.minus(fees) ?? null),
    distancePercent: distanceOf(order, before.lastPrice),
    ...(quantity === null ? { gain: null, soldLots: [] } : closed(order.side, quantity, price, before)),
  };
}

function shareOfWorth(shares: Decimal | null, price: Decimal, worth: Decimal | null): Decimal | null {
  if (shares === null || worth === null || !worth.greaterThan(0)) return null;
  return shares.times(price).dividedBy(worth).times(PERCENT);
}

function distanceOf(order: PlaceOrder, lastPrice: string | undefined): Decimal | null {
  const price = order.limitPrice ?? order.stopPrice;
  if (price == null || lastPrice === undefined) return null;
  const last = new Decimal(lastPrice);
  return last.isZero() ? null : new Decimal(price).minus(last).dividedBy(last).times(PERCENT);
}

/** The gain of what an order closes, and the lots that it takes: the oldest first, as the books keep them. */
function closed(
  side: PlaceOrder["side"],
  quantity: Decimal,
  price: Decimal,
  { position, lots }: Before,
): Pick<Consequences, "gain" | "soldLots"> {
  const nothing = { gain: null, soldLots: [] };
  if (position === undefined) return nothing;
  const direction = side === "sell" ? 1 : -1;
  const there = new Decimal(position.quantity).times(direction);
  if (!there.greaterThan(0)) return nothing;
  const part = quantity.lessThan(there) ? quantity : there;
  const soldLots = lots === undefined ? [] : takeLots(part, price, direction, lots);
  return {
    gain: gainOf(position.costMethod, part, price.times(direction), position, soldLots, direction),
    soldLots,
  };
}

/** `direction` is 1 for shares held, -1 for shares sold short, whose lots are below zero. */
function takeLots(quantity: Decimal, price: Decimal, direction: 1 | -1, lots: readonly Lot[]): SoldLot[] {
  let left = quantity;
  const taken: SoldLot[] = [];
  for (const lot of lots) {
    if (!left.greaterThan(0)) break;
    const there = new Decimal(lot.quantity).times(direction);
    if (!there.greaterThan(0)) continue;
    const part = left.lessThan(there) ? left : there;
    const cost = new Decimal(lot.cost).times(part).dividedBy(there);
    const gain = part.times(price).times(direction).minus(cost);
    taken.push({ acquiredOn: lot.acquiredOn, quantity: part, gain });
    left = left.minus(part);
  }
  return taken;
}

function gainOf(
  method: CostMethod,
  quantity: Decimal,
  price: Decimal,
  position: Position,
  soldLots: readonly SoldLot[],
  direction: 1 | -1,
): Decimal | null {
  if (method === "average") {
    return quantity.times(price.minus(new Decimal(position.averageCost).times(direction)));
  }
  const covered = sum(soldLots.map((lot) => lot.quantity));
  // Lots that are not known (yet) would make the gain look larger than it is.
  return covered.equals(quantity) ? soldLots.reduce((total, lot) => total.plus(lot.gain), ZERO) : null;
}
