import { create } from "zustand";
import { persist } from "zustand/middleware";
import type { Currency, Language } from "@/lib/api/types";
import { WATCHLIST_MAX, WATCHLISTS_MAX } from "@/lib/limits";
import { randomUuid } from "@/lib/random";

/** Which colour a rising price has: red as in Korea, green as in the United States. */
export type RisingColour = "red" | "green";

/** Light and dark; `system` follows the device. */
export type Theme = "system" | "light" | "dark";

export interface Watchlist {
  id: string;
  /** Empty for the first one, which is called by the page's own word. */
  name: string;
  symbols: string[] | null;
}

/** Sizes of the desk's parts, in pixels; they count on wide screens only. */
export interface Layout {
  watchlist: number;
  trading: number;
  books: number;
}

/** How the chart is drawn. */
export interface ChartSettings {
  interval: "1m" | "5m" | "15m" | "1h" | "1d" | "1w";
  kind: "candles" | "line";
  indicators: readonly ("averages" | "bollinger" | "rsi" | "macd")[];
  range: "range1m" | "range3m" | "range1y" | "rangeAll";
}

const FIRST_CHART: ChartSettings = { interval: "1d", kind: "candles", indicators: [], range: "range3m" };
export const FIRST_LAYOUT: Layout = { watchlist: 288, trading: 320, books: 288 };
const FIRST_WATCHLIST: Watchlist = { id: "first", name: "", symbols: null };

interface Preferences {
  /** Null until chosen: the browser's language decides. */
  language: Language | null;
  risingColour: RisingColour | null;
  theme: Theme;
  /** Whether an order is shown with its consequences before it is sent. */
  confirmOrders: boolean;
  /** The first one exists always. Its symbols are null until changed: the first ones of the server are shown. */
  watchlists: Watchlist[];
  watchlistId: string;
  layout: Layout;
  chart: ChartSettings;
  symbol: string | null;
  accountId: string | null;
  /** With which share an account of each currency is compared. */
  benchmarks: Partial<Record<Currency, string>>;
  /** Won for one dollar, as the reader reckons; empty until said. The page knows no rate of its own. */
  wonForDollar: string;
}

const STORED_AS = "gaemi.preferences";
/** Whether this tab has read what was stored before it. */
let isThere = false;

export const usePreferences = create<Preferences>()(
  persist(
    (): Preferences => ({
      language: null,
      risingColour: null,
      theme: "system",
      confirmOrders: true,
      watchlists: [FIRST_WATCHLIST],
      watchlistId: FIRST_WATCHLIST.id,
      layout: FIRST_LAYOUT,
      chart: FIRST_CHART,
      symbol: null,
      accountId: null,
      benchmarks: {},
      wonForDollar: "",
    }),
    {
      name: STORED_AS,
      version: 2,
      migrate: (stored, version) => (version < 2 ? withWatchlists(stored) : stored) as Preferences,
      merge: (stored, current) => ({ ...current, ...(stored as Partial<Preferences>), ...ownPart(current) }),
    },
  ),
);

/** What two tabs may show differently, once this one is there. */
function ownPart({ symbol, accountId, watchlistId }: Preferences): Partial<Preferences> {
  return isThere ? { symbol, accountId, watchlistId } : {};
}

isThere = true;
if (typeof window !== "undefined") {
  // What another tab has changed must not be undone by what this one writes next.
  window.addEventListener("storage", ({ key }) => {
    if (key === STORED_AS) void usePreferences.persist.rehydrate();
  });
}

/** Preferences of a page that knew one watchlist only. */
export function withWatchlists(stored: unknown): unknown {
  const { watchlist = null, ...rest } = stored as { watchlist?: string[] | null };
  return {
    ...rest,
    watchlists: [{ ...FIRST_WATCHLIST, symbols: watchlist }],
    watchlistId: FIRST_WATCHLIST.id,
  };
}

export const setPreferences = usePreferences.setState;

/** The watchlist that is shown. */
export function chosenWatchlist({
  watchlists,
  watchlistId,
}: Pick<Preferences, "watchlists" | "watchlistId">): Watchlist {
  return watchlists.find(({ id }) => id === watchlistId) ?? watchlists[0] ?? FIRST_WATCHLIST;
}

function setSymbols(symbols: string[]): void {
  setPreferences((state) => {
    const { id } = chosenWatchlist(state);
    return { watchlists: state.watchlists.map((list) => (list.id === id ? { ...list, symbols } : list)) };
  });
}

export function addToWatchlist(current: readonly string[], symbol: string): void {
  if (current.includes(symbol) || current.length >= WATCHLIST_MAX) return;
  setSymbols([...current, symbol]);
}

export function removeFromWatchlist(current: readonly string[], symbol: string): void {
  setSymbols(current.filter((listed) => listed !== symbol));
}

/** The list with a symbol in another place. */
export function moved(current: readonly string[], symbol: string, to: number): string[] {
  const others = current.filter((listed) => listed !== symbol);
  const place = Math.min(Math.max(to, 0), others.length);
  return [...others.slice(0, place), symbol, ...others.slice(place)];
}

export function moveInWatchlist(current: readonly string[], symbol: string, to: number): void {
  if (current.indexOf(symbol) !== to) setSymbols(moved(current, symbol, to));
}

/** Makes an empty watchlist and shows it. */
export function addWatchlist(name: string): void {
  setPreferences(({ watchlists }) => {
    if (watchlists.length >= WATCHLISTS_MAX) return {};
    const list: Watchlist = { id: randomUuid(), name, symbols: [] };
    return { watchlists: [...watchlists, list], watchlistId: list.id };
  });
}

/** Takes the shown watchlist away; the first one stays. */
export function removeChosenWatchlist(): void {
  setPreferences((state) => {
    const { id } = chosenWatchlist(state);
    if (id === FIRST_WATCHLIST.id) return {};
    return { watchlists: state.watchlists.filter((list) => list.id !== id), watchlistId: FIRST_WATCHLIST.id };
  });
}
