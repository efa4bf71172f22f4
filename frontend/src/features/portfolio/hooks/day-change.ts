import type { Position } from "@/lib/api/types";
import { Decimal, ZERO } from "@/lib/decimal";

/** A share's part in the change of a day. */
export interface DayTerm {
  symbol: string;
  quantity: string;
  /** Since the close before; null where that is not known. */
  change: string | null;
  amount: Decimal | null;
}

/** What each share that is held has gained since the close before, as if it had been held all day. */
export function dayTerms(
  positions: readonly Position[],
  changeOf: (symbol: string) => string | null | undefined,
): DayTerm[] {
  const held = positions.filter(({ quantity }) => !new Decimal(quantity).isZero());
  return held.map(({ symbol, quantity }) => {
    const change = changeOf(symbol) ?? null;
    return { symbol, quantity, change, amount: change === null ? null : new Decimal(quantity).times(change) };
  });
}

/** All of them together. Null where a share that is held has no such change. */
export function dayChange(
  positions: readonly Position[],
  changeOf: (symbol: string) => string | null | undefined,
): Decimal | null {
  const amounts = dayTerms(positions, changeOf).map(({ amount }) => amount);
  return amounts.reduce<Decimal | null>(
    (total, amount) => (total === null || amount === null ? null : total.plus(amount)),
    ZERO,
  );
}
