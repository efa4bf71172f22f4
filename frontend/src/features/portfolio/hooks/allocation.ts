import type { Position } from "@/lib/api/types";
import { Decimal, sum, ZERO } from "@/lib/decimal";
import { ALLOCATION_PARTS_MAX } from "@/lib/limits";
import { valueOfPosition } from "./value";

/** A part of what an account has in one currency. Without a symbol it is the cash, or what is drawn together. */
export interface Part {
  kind: "shares" | "cash" | "others";
  symbol: string | null;
  value: Decimal;
  percent: Decimal;
}

/**
 * How what an account has in one currency is divided, the largest part first. Null while a share has no price, and where
 * there is nothing to divide: debts are no parts.
 */
export function allocationOf(
  cash: string,
  positions: readonly Position[],
  livePrice: (symbol: string) => string | undefined,
): Part[] | null {
  const held = positions.filter(({ quantity }) => new Decimal(quantity).greaterThan(0));
  const values = held.map((position) => ({
    symbol: position.symbol,
    value: valueOfPosition(position, livePrice(position.symbol)).marketValue,
  }));
  if (values.some(({ value }) => value === null)) return null;
  const own = new Decimal(cash);
  const parts = [
    ...values.map(({ symbol, value }) => ({ kind: "shares" as const, symbol, value: value ?? ZERO })),
    ...(own.greaterThan(0) ? [{ kind: "cash" as const, symbol: null, value: own }] : []),
  ].sort((left, right) => right.value.comparedTo(left.value));
  const total = sum(parts.map(({ value }) => value));
  if (!total.greaterThan(0)) return null;
  return together(parts).map((part) => ({ ...part, percent: part.value.dividedBy(total).times(100) }));
}

type Unweighed = Omit<Part, "percent">;

/** The smallest parts as one, where there are more than can be told apart. */
function together(parts: readonly Unweighed[]): Unweighed[] {
  if (parts.length <= ALLOCATION_PARTS_MAX) return [...parts];
  const named = parts.slice(0, ALLOCATION_PARTS_MAX - 1);
  const rest = parts.slice(ALLOCATION_PARTS_MAX - 1);
  return [...named, { kind: "others", symbol: null, value: sum(rest.map(({ value }) => value)) }];
}
