import type { AccountValue, Performance, Position } from "@/lib/api/types";
import type { Decimal } from "@/lib/decimal";
import { quotes } from "@/lib/quotes/socket";
import { dayChange } from "./day-change";
import { sessionResult } from "./performance";
import { useSessionBefore } from "./use-session-before";

/** What the running session has brought. */
export interface DayResult {
  amount: Decimal | null;
  percent: Decimal | null;
  /** What it is measured against; null where nothing was written down then, and it is only estimated. */
  session: NonNullable<Performance["session"]> | null;
}

/** What the running session has brought: measured where it was written down what there was before, else estimated. */
export function useDayResult(
  { accountId, currency, netDeposits }: AccountValue,
  positions: readonly Position[],
  total: Decimal | null,
): DayResult {
  const symbols = positions.map(({ symbol }) => symbol);
  const session = useSessionBefore(accountId, currency, symbols) ?? null;
  if (session === null || total === null) {
    const amount = dayChange(positions, (symbol) => quotes.get(symbol)?.change);
    return { amount, percent: null, session: null };
  }
  const { pnl, percent } = sessionResult(session.before, total, netDeposits);
  return { amount: pnl, percent, session };
}
