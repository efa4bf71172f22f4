import type { CurrencyBalance } from "@/lib/api/types";
import { Decimal } from "@/lib/decimal";

type Promised = Pick<CurrencyBalance, "settled" | "unsettledDays">;

/** The least that lies in an account until everything has settled, and after which day: null is now. */
export function leastOf({ settled, unsettledDays }: Promised): { day: string | null; amount: Decimal } {
  let least: { day: string | null; amount: Decimal } = { day: null, amount: new Decimal(settled) };
  let there = least.amount;
  for (const { settleDate, receivable, payable } of inOrder(unsettledDays)) {
    there = there.plus(receivable).minus(payable);
    if (there.lessThan(least.amount)) least = { day: settleDate, amount: there };
  }
  return least;
}

const inOrder = (days: Promised["unsettledDays"]) =>
  [...days].sort((left, right) => left.settleDate.localeCompare(right.settleDate));
