import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Currency, Instrument, Language } from "@/lib/api/types";
import { fittingSymbol } from "@/lib/currency";
import { chosenWatchlist, usePreferences } from "@/lib/preferences";
import { instrumentsQuery } from "../api/market";

/** How many symbols a watchlist that nobody has touched shows. */
const FIRST_WATCHLIST_LENGTH = 10;

/** What a newcomer sees: prices of real markets before invented ones. */
export function firstWatchlist(instruments: readonly Instrument[]): string[] {
  return [...instruments]
    .sort((left, right) => Number(left.simulated) - Number(right.simulated))
    .slice(0, FIRST_WATCHLIST_LENGTH)
    .map(({ symbol }) => symbol);
}

export function nameOf(
  instrument: Pick<Instrument, "name" | "nameKorean"> | undefined,
  language: string,
): string {
  if (instrument === undefined) return "";
  return (language as Language) === "ko" ? instrument.nameKorean || instrument.name : instrument.name;
}

/** How a share is headed, and what stands below: by its code, in Korea by its name. */
export function headOf(symbol: string, name: string, language: string): [title: string, subtitle: string] {
  return (language as Language) === "ko" && name !== "" ? [name, symbol] : [symbol, name];
}

/**
 * The watched symbols, the chosen one, and what is known of each. Until somebody chooses, it is one that an account in
 * `currency` can trade.
 */
export function useWatchlist(currency?: Currency) {
  const instruments = useQuery(instrumentsQuery);
  const stored = usePreferences((state) => chosenWatchlist(state).symbols);
  const remembered = usePreferences((state) => state.symbol);
  const bySymbol = useMemo(
    () => new Map((instruments.data ?? []).map((instrument) => [instrument.symbol, instrument])),
    [instruments.data],
  );
  const symbols = useMemo(() => stored ?? firstWatchlist(instruments.data ?? []), [stored, instruments.data]);
  const chosen = remembered ?? fittingSymbol(currency, symbols, instruments.data ?? []);
  return { instruments, bySymbol, symbols, chosen };
}
