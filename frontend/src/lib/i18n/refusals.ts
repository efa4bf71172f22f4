import type { FieldProblem } from "@/lib/api/types";

/**
 * The sentences in which the server keeps why an order was denied, and the rules they stand for. The order itself
 * carries only the sentences; the rules are what the page has words for.
 */
const SENTENCES: readonly (readonly [RegExp, string])[] = [
  [/^[\d.]+ shares are needed, [\d.]+ are free$/, "insufficient_shares"],
  [/^[\d.]+ [A-Z]{3} are needed, -?[\d.]+ are free$/, "insufficient_buying_power"],
  [/^the fees of up to /, "fees_exceed_proceeds"],
  [/^is traded in [A-Z]{3}, the account is kept in [A-Z]{3}$/, "currency_mismatch"],
  [/^must be a multiple of the tick size /, "tick_size"],
  [/^must be between today's price limits /, "price_limit"],
  [/^there is no current price$/, "no_price"],
  [/^an earlier order in this symbol is unresolved/, "unresolved_order"],
  [/^must be a whole number of shares$/, "whole_shares"],
  [/^is halted: /, "halted"],
  [/^must be a trading day$/, "trading_day"],
  [/^must be at most \d+$/, "too_large"],
  [/^the order's value (must be at most \d+|is too large)$/, "too_large"],
];

/** Between two refusals of one order. A sentence may hold one too: what follows must begin with a field's name. */
const BETWEEN = /; (?=[a-z][A-Za-z]* )/;

/** Takes a denied order's reason apart; null where any part of it is not known here. */
export function refusalsOf(reason: string): FieldProblem[] | null {
  const refusals = reason.split(BETWEEN).map((part) => {
    const [field = "", message = ""] = part.split(/ (.*)/s);
    const rule = SENTENCES.find(([sentence]) => sentence.test(message))?.[1];
    return rule === undefined ? null : { field, rule, message };
  });
  return refusals.every((refusal) => refusal !== null) ? refusals : null;
}
