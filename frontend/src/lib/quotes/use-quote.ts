import { useCallback, useSyncExternalStore } from "react";
import type { LiveQuote } from "./quote";
import { quotes } from "./socket";

/** The latest quote of a symbol; only the caller renders again when it changes. */
export function useQuote(symbol: string | null): LiveQuote | undefined {
  const subscribe = useCallback(
    (listener: () => void) => (symbol === null ? () => {} : quotes.subscribe(symbol, listener)),
    [symbol],
  );
  return useSyncExternalStore(subscribe, () => (symbol === null ? undefined : quotes.get(symbol)));
}

/** Something small computed from several symbols' quotes; the caller renders again only when its text changes. */
export function useQuotesText(symbols: readonly string[], compute: () => string): string {
  const joined = symbols.join(" ");
  const subscribe = useCallback(
    (listener: () => void) => {
      const leave = joined
        .split(" ")
        .filter((symbol) => symbol !== "")
        .map((symbol) => quotes.subscribe(symbol, listener));
      return () => {
        for (const stop of leave) stop();
      };
    },
    [joined],
  );
  return useSyncExternalStore(subscribe, compute);
}
