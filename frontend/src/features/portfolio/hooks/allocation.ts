import type { Position } from "@/lib/api/types";
import { Decimal, sum, ZERO } from "@/lib/decimal";
import { ALLOCATION_PARTS_MAX } from "@/lib/limits";
import { valueOfPosition } from "./value";

/** A part of what an account has in one currency. Without a name it is the cash, or what is drawn together. */
export interface Part {
  kind: "shares" | "cash" | "others";
  name: string | null;
  /** The shares in it. */
  symbols: readonly string[];
  value: Decimal;
  percent: Decimal;
}

/** The market of a share, by the board that its symbol names. */
export function byMarket(symbol: string): string {
  if (symbol.endsWith(".KS")) return "KOSPI";
  return symbol.endsWith(".KQ") ? "KOSDAQ" : "US";
}

/**
 * How what an account has in one currency is divided, the largest part first; shares of which `nameOf` makes the same are
 * one part. Null while a share has no price, and where there is nothing to divide: debts are no parts.
 */
export function allocationOf(
  cash: string,
  positions: readonly Position[],
  livePrice: (symbol: string) => string | undefined,
  nameOf: (symbol: string) => string = (symbol) => symbol,
): Part[] | null {
  const named = new Map<string, { value: Decimal; symbols: string[] }>();
  for (const position of positions) {
    if (!new Decimal(position.quantity).greaterThan(0)) continue;
    const { marketValue } = valueOfPosition(position, livePrice(position.symbol));
    if (marketValue === null) return null;
    const name = nameOf(position.symbol);
    const known = named.get(name) ?? { value: ZERO, symbols: [] };
    named.set(name, { value: known.value.plus(marketValue), symbols: [...known.symbols, position.symbol] });
  }
  const own = new Decimal(cash);
  const parts: Unweighed[] = [
    ...[...named].map(([name, shares]) => ({ kind: "shares" as const, name, ...shares })),
    ...(own.greaterThan(0) ? [{ kind: "cash" as const, name: null, symbols: [], value: own }] : []),
  ].sort((left, right) => right.value.comparedTo(left.value));
  const total = sum(parts.map(({ value }) => value));
  if (!total.greaterThan(0)) return null;
  return together(parts).map((part) => ({ ...part, percent: part.value.dividedBy(total).times(100) }));
}

/**
 * What is owed in one currency, which is no part of what there is: shares sold short at the price of now, and money borrowed.
 * Null while a share has no price.
 */
export function owedOf(
  cash: string,
  positions: readonly Position[],
  livePrice: (symbol: string) => string | undefined,
): Decimal | null {
  const own = new Decimal(cash);
  let owed = own.lessThan(0) ? own.abs() : ZERO;
  for (const position of positions) {
    if (!new Decimal(position.quantity).lessThan(0)) continue;
    const { marketValue } = valueOfPosition(position, livePrice(position.symbol));
    if (marketValue === null) return null;
    owed = owed.plus(marketValue.abs());
  }
  return owed;
}

type Unweighed = Omit<Part, "percent">;

/** The smallest parts as one, where there are more than can be told apart. */
function together(parts: readonly Unweighed[]): Unweighed[] {
  if (parts.length <= ALLOCATION_PARTS_MAX) return [...parts];
  const first = parts.slice(0, ALLOCATION_PARTS_MAX - 1);
  const rest = parts.slice(ALLOCATION_PARTS_MAX - 1);
  const symbols = rest.flatMap((part) => part.symbols);
  return [...first, { kind: "others", name: null, symbols, value: sum(rest.map(({ value }) => value)) }];
}
