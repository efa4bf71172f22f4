import type { Currency, Position } from "@/lib/api/types";

/** Positions by their currency: amounts of different currencies stand apart. */
export function byCurrency(positions: readonly Position[]): [Currency, Position[]][] {
  const groups = new Map<Currency, Position[]>();
  for (const position of positions) {
    const group = groups.get(position.currency);
    if (group === undefined) groups.set(position.currency, [position]);
    else group.push(position);
  }
  return [...groups];
}
