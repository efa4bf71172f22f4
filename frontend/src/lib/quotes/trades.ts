import { TRADES_KEPT_MAX } from "@/lib/limits";

/** A price in few words, as it arrives: digits are kept as text, counts as numbers. */
export interface Tick {
  symbol: string;
  price: string;
  /** Shares traded in the session so far. */
  volume: number;
  /** Seconds since 1970. */
  timestamp: number;
  /** Grows by one with each price of the share. */
  sequence: number;
  /** The last known price, told on subscribing. */
  snapshot?: boolean;
}

/** Shares that changed hands at a price. */
export interface Trade {
  sequence: number;
  price: string;
  shares: number;
  at: number;
  /** Where the price went since the trade before. */
  direction: -1 | 0 | 1;
}

/** The last trades of a share, the newest first. */
export interface Tape {
  last: Tick;
  trades: readonly Trade[];
}

/**
 * The tape after another price. The source counts the shares of its session; what it has counted since the price before
 * changed hands at this one. Where prices are missing in between, where a session begins, or where nothing was counted,
 * nobody knows of a trade, and none is shown.
 */
export function afterTick(tape: Tape | undefined, tick: Tick): Tape {
  const before = tape?.last;
  const trades = tape?.trades ?? [];
  const shares = before === undefined ? 0 : tick.volume - before.volume;
  const follows = before !== undefined && !tick.snapshot && tick.sequence === before.sequence + 1;
  if (before === undefined || !follows || shares <= 0) return { last: tick, trades };
  const { sequence, price, timestamp: at } = tick;
  const direction = Math.sign(Number(price) - Number(before.price)) as Trade["direction"];
  return {
    last: tick,
    trades: [{ sequence, price, shares, at, direction }, ...trades].slice(0, TRADES_KEPT_MAX),
  };
}
