import type { AccountValue, Position, StatementLine } from "@/lib/api/types";
import { Decimal, sum } from "@/lib/decimal";
import { valueOfPosition } from "./value";

/** A share's part in a figure, and the numbers of which it is made. */
export interface ShareOrigin {
  symbol: string;
  quantity: string;
  price: Decimal | null;
  value: Decimal | null;
  cost: string;
  unrealised: Decimal | null;
  realised: string;
  dividends: string;
  commission: string;
  tax: string;
}

/** What each share contributes. */
export function originsOf(
  positions: readonly Position[],
  livePrice: (symbol: string) => string | undefined,
): ShareOrigin[] {
  return positions.map((position) => {
    const { price, marketValue, unrealised } = valueOfPosition(position, livePrice(position.symbol));
    const { symbol, quantity, cost, realisedPnl: realised, dividends, commission, tax } = position;
    const booked = { realised, dividends, commission, tax };
    return { symbol, quantity, price, value: marketValue, cost, unrealised, ...booked };
  });
}

/** A line of a sum. */
export interface Term {
  name:
    | "netDeposits"
    | "realised"
    | "dividends"
    | "fees"
    | "tax"
    | "interest"
    | "sharesHeld"
    | "cash"
    | "shares"
    | "rest"
    | "closed";
  amount: Decimal;
}

const withoutZeros = (terms: Term[]) => terms.filter(({ amount }) => !amount.isZero());

/**
 * How the cash came about: what was brought in and earned, less what was paid and what the shares held have cost. What these
 * do not explain stands at the end.
 */
export function cashTerms(value: AccountValue, positions: readonly Position[]): Term[] {
  const fees = new Decimal(value.commission).plus(value.exchangeFees);
  const known: Term[] = [
    { name: "netDeposits", amount: new Decimal(value.netDeposits) },
    { name: "realised", amount: new Decimal(value.realisedPnl) },
    { name: "dividends", amount: new Decimal(value.dividends) },
    { name: "fees", amount: fees.negated() },
    { name: "tax", amount: new Decimal(value.tax).negated() },
    { name: "interest", amount: new Decimal(value.interest) },
    { name: "sharesHeld", amount: sum(positions.map(({ cost }) => cost)).negated() },
  ];
  const rest = new Decimal(value.cash).minus(sum(known.map(({ amount }) => amount)));
  return withoutZeros([...known, { name: "rest", amount: rest }]);
}

/** How the total gain came about. */
export function gainTerms(value: AccountValue, sharesWorth: Decimal): Term[] {
  return withoutZeros([
    { name: "cash", amount: new Decimal(value.cash) },
    { name: "shares", amount: sharesWorth },
    { name: "netDeposits", amount: new Decimal(value.netDeposits).negated() },
  ]);
}

/** What shares that are not held any more have contributed to a sum. */
export function ofClosed(total: string, parts: readonly string[]): Decimal {
  return new Decimal(total).minus(sum(parts));
}

/**
 * Taxes by what they were paid for. Of dividends is kept back what they were before tax less what came in for them, and what
 * was taken for them later; the rest is that of trades.
 */
export function taxParts(
  { tax, dividends }: Pick<AccountValue, "tax" | "dividends">,
  ofDividends: readonly Pick<StatementLine, "amount">[],
): { onDividends: Decimal; onTrades: Decimal } {
  const onDividends = new Decimal(dividends).minus(sum(ofDividends.map(({ amount }) => amount)));
  return { onDividends, onTrades: new Decimal(tax).minus(onDividends) };
}
