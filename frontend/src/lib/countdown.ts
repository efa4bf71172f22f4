import type { components } from "@/lib/api/schema";

export type MarketHours = components["schemas"]["MarketHours"];

export const PHASES = ["closed", "pre", "open", "after"] as const;
export type Phase = (typeof PHASES)[number];

export interface MarketState {
  phase: Phase;
  /** Until it closes when it is open, else until it opens. */
  secondsLeft: number;
}

/** What a market does at a moment. Once the end of a phase has passed, the next answer of the server says what follows. */
export function marketStateAt(hours: MarketHours, nowMs: number): MarketState | null {
  const phase = PHASES.find((known) => known === hours.phase);
  if (phase === undefined) return null;
  const until = Date.parse(phase === "open" ? hours.nextClose : hours.nextOpen);
  return { phase, secondsLeft: Math.max(0, Math.floor((until - nowMs) / 1000)) };
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A span of time in its two largest parts, largest first: days and hours, hours and minutes, minutes and seconds. */
export function spanParts(seconds: number): [number, "d" | "h" | "m" | "s"][] {
  if (seconds >= DAY)
    return [
      [Math.floor(seconds / DAY), "d"],
      [Math.floor((seconds % DAY) / HOUR), "h"],
    ];
  if (seconds >= HOUR)
    return [
      [Math.floor(seconds / HOUR), "h"],
      [Math.floor((seconds % HOUR) / MINUTE), "m"],
    ];
  if (seconds >= MINUTE)
    return [
      [Math.floor(seconds / MINUTE), "m"],
      [seconds % MINUTE, "s"],
    ];
  return [[seconds, "s"]];
}
