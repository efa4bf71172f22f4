import type { AccountValue, Position } from "@/lib/api/types";
import { Decimal, sum, ZERO } from "@/lib/decimal";

/** A position at a price. All null where there is no price. */
export interface PositionValue {
  price: Decimal | null;
  marketValue: Decimal | null;
  unrealised: Decimal | null;
  unrealisedPercent: Decimal | null;
}

/** Values a position at the live price, or at the server's last one where none has arrived. */
export function valueOfPosition(position: Position, livePrice: string | undefined): PositionValue {
  const text = livePrice ?? position.marketPrice;
  if (text === null || text === undefined) {
    return { price: null, marketValue: null, unrealised: null, unrealisedPercent: null };
  }
  const price = new Decimal(text);
  const marketValue = price.times(position.quantity);
  const unrealised = marketValue.minus(position.cost);
  const cost = new Decimal(position.cost);
  const unrealisedPercent = cost.isZero() ? null : unrealised.dividedBy(cost.abs()).times(100);
  return { price, marketValue, unrealised, unrealisedPercent };
}

export interface LiveAccountValue {
  positionsValue: Decimal;
  totalValue: Decimal;
  unrealised: Decimal;
  totalPnl: Decimal;
  totalPnlPercent: Decimal | null;
}

/**
 * The account's worth now: its cash and its shares at live prices. What was paid in is no profit. Null while a
 * position has no price: a total that leaves something out is not a total.
 */
export function valueOfAccount(
  account: Pick<AccountValue, "cash" | "netDeposits">,
  positions: readonly Position[],
  livePrice: (symbol: string) => string | undefined,
): LiveAccountValue | null {
  const values = positions.map((position) => valueOfPosition(position, livePrice(position.symbol)));
  const isUnknown = ({ quantity }: Position, index: number) =>
    values[index]?.marketValue === null && !new Decimal(quantity).isZero();
  if (positions.some(isUnknown)) return null;
  const positionsValue = sum(values.map(({ marketValue }) => marketValue ?? ZERO));
  const totalValue = positionsValue.plus(account.cash);
  const totalPnl = totalValue.minus(account.netDeposits);
  const deposits = new Decimal(account.netDeposits);
  return {
    positionsValue,
    totalValue,
    unrealised: sum(values.map(({ unrealised }) => unrealised ?? ZERO)),
    totalPnl,
    totalPnlPercent: deposits.greaterThan(0) ? totalPnl.dividedBy(deposits).times(100) : null,
  };
}
