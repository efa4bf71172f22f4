import type { Position } from "@/lib/api/types";
import { Decimal, ZERO } from "@/lib/decimal";

/**
 * What the shares held now have gained since the close before, as if they had been held all day. Null where a share that
 * is held has no such change.
 */
export function dayChange(
  positions: readonly Position[],
  changeOf: (symbol: string) => string | null | undefined,
): Decimal | null {
  let total: Decimal = ZERO;
  for (const { symbol, quantity } of positions) {
    const shares = new Decimal(quantity);
    if (shares.isZero()) continue;
    const change = changeOf(symbol);
    if (change == null) return null;
    total = total.plus(shares.times(change));
  }
  return total;
}
