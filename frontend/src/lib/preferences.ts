import { create } from "zustand";
import { persist } from "zustand/middleware";
import type { Language } from "@/lib/api/types";
import { WATCHLIST_MAX } from "@/lib/limits";

/** Which colour a rising price has: red as in Korea, green as in the United States. */
export type RisingColour = "red" | "green";

/** Light and dark; `system` follows the device. */
export type Theme = "system" | "light" | "dark";

interface Preferences {
  /** Null until chosen: the browser's language decides. */
  language: Language | null;
  risingColour: RisingColour | null;
  theme: Theme;
  /** Whether an order is shown with its consequences before it is sent. */
  confirmOrders: boolean;
  /** Null until changed: the first symbols of the server are shown. */
  watchlist: string[] | null;
  symbol: string | null;
  accountId: string | null;
}

export const usePreferences = create<Preferences>()(
  persist(
    (): Preferences => ({
      language: null,
      risingColour: null,
      theme: "system",
      confirmOrders: true,
      watchlist: null,
      symbol: null,
      accountId: null,
    }),
    { name: "gaemi.preferences", version: 1 },
  ),
);

export const setPreferences = usePreferences.setState;

export function addToWatchlist(current: readonly string[], symbol: string): void {
  if (current.includes(symbol) || current.length >= WATCHLIST_MAX) return;
  setPreferences({ watchlist: [...current, symbol] });
}

export function removeFromWatchlist(current: readonly string[], symbol: string): void {
  setPreferences({ watchlist: current.filter((listed) => listed !== symbol) });
}
