import { useCallback, useSyncExternalStore } from "react";
import type { OrderBook } from "./order-book";
import type { LiveQuote } from "./quote";
import { orderBooks, quotes, tapes } from "./socket";
import type { LatestStore } from "./store";
import type { Tape } from "./trades";

/** The latest value of a symbol; only the caller renders again when it changes. */
function useLatest<Value>(store: LatestStore<Value>, symbol: string | null): Value | undefined {
  const subscribe = useCallback(
    (listener: () => void) => (symbol === null ? () => {} : store.subscribe(symbol, listener)),
    [store, symbol],
  );
  return useSyncExternalStore(subscribe, () => (symbol === null ? undefined : store.get(symbol)));
}

/** Whether there is a value of a symbol at all; the caller renders again only when there begins to be one. */
export function usePresence<Value>(store: LatestStore<Value>, symbol: string): boolean {
  const subscribe = useCallback((listener: () => void) => store.subscribe(symbol, listener), [store, symbol]);
  return useSyncExternalStore(subscribe, () => store.get(symbol) !== undefined);
}

/** The latest quote of a symbol. */
export function useQuote(symbol: string | null): LiveQuote | undefined {
  return useLatest(quotes, symbol);
}

/** What is wanted and offered of a symbol, where its source tells. */
export function useOrderBook(symbol: string): OrderBook | undefined {
  return useLatest(orderBooks, symbol);
}

/** The last trades of a symbol since somebody looked. */
export function useTape(symbol: string): Tape | undefined {
  return useLatest(tapes, symbol);
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
