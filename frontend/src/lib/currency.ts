import type { Currency } from "@/lib/api/types";

/** The currency a symbol is priced in: Korean symbols carry their board behind a point. */
export function currencyOf(symbol: string): Currency {
  return /\.K[SQ]$/.test(symbol) ? "KRW" : "USD";
}

/**
 * The symbol to show where none was chosen: one that the account can trade, from the watchlist before all others, and
 * with prices of a market before invented ones.
 */
export function fittingSymbol(
  currency: Currency | undefined,
  watched: readonly string[],
  listed: readonly { symbol: string; simulated: boolean }[],
): string | null {
  const fits = (symbol: string) => currency === undefined || currencyOf(symbol) === currency;
  const honest = [...listed].sort((left, right) => Number(left.simulated) - Number(right.simulated));
  return watched.find(fits) ?? honest.map(({ symbol }) => symbol).find(fits) ?? watched[0] ?? null;
}
