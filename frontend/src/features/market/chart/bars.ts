import type { Time, UTCTimestamp } from "lightweight-charts";
import type { Bar } from "@/lib/api/types";
import type { LiveQuote } from "@/lib/quotes/quote";

/** What a bar of the chart spans. A week is put together from days here; the others are the server's. */
export const INTERVALS = ["1m", "5m", "15m", "1h", "1d", "1w"] as const;
export type ChartInterval = (typeof INTERVALS)[number];

const SECONDS: Partial<Record<ChartInterval, number>> = { "1m": 60, "5m": 300, "15m": 900, "1h": 3_600 };

/** A bar as it is drawn: binary numbers do for a picture; whatever is shown as text elsewhere stays decimal. */
export interface DrawnBar {
  time: Time;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
}

function drawn(bar: Bar, time: Time): DrawnBar {
  const { open, high, low, close, volume } = bar;
  return { time, open: Number(open), high: Number(high), low: Number(low), close: Number(close), volume };
}

/** The Monday of a day's week. */
export function weekOf(date: string): string {
  const day = new Date(`${date}T00:00:00Z`);
  day.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7));
  return day.toISOString().slice(0, 10);
}

function joined(week: DrawnBar, day: DrawnBar): DrawnBar {
  return {
    time: week.time,
    open: week.open,
    high: Math.max(week.high, day.high),
    low: Math.min(week.low, day.low),
    close: day.close,
    volume: week.volume + day.volume,
  };
}

/** The server's bars as they are drawn. */
export function drawnBars(bars: readonly Bar[], interval: ChartInterval): DrawnBar[] {
  if (interval === "1d") return bars.map((bar) => drawn(bar, bar.date));
  if (interval !== "1w")
    return bars.map((bar) => drawn(bar, (Date.parse(bar.startsAt ?? bar.date) / 1000) as UTCTimestamp));
  const weeks: DrawnBar[] = [];
  for (const bar of bars) {
    const day = drawn(bar, weekOf(bar.date));
    const last = weeks.at(-1);
    if (last?.time === day.time) weeks[weeks.length - 1] = joined(last, day);
    else weeks.push(day);
  }
  return weeks;
}

function quoteDay(quote: LiveQuote): DrawnBar {
  const { sessionDate: date, open, high, low, price: close, volume } = quote;
  return drawn({ date, open, high, low, close, volume }, date);
}

/**
 * The last bar as the price of now makes it, or a new one after it; null where the price belongs before the bars. `days`
 * are the server's daily bars, of which the running week is put together.
 */
export function liveBar(
  quote: LiveQuote,
  bars: readonly DrawnBar[],
  days: readonly Bar[],
  interval: ChartInterval,
): DrawnBar | null {
  const last = bars.at(-1);
  if (interval === "1d") {
    const day = quoteDay(quote);
    return last === undefined || String(day.time) >= String(last.time) ? day : null;
  }
  if (interval === "1w") return liveWeek(quote, last, days);
  return liveSpan(quote, last, SECONDS[interval] ?? 60);
}

function liveWeek(quote: LiveQuote, last: DrawnBar | undefined, days: readonly Bar[]): DrawnBar | null {
  const week = weekOf(quote.sessionDate);
  if (last !== undefined && week < String(last.time)) return null;
  // The running day may be among the server's days already; it counts once.
  const before = days.filter((bar) => weekOf(bar.date) === week && bar.date < quote.sessionDate);
  const today = { ...quoteDay(quote), time: week };
  const earlier = drawnBars(before, "1w").at(-1);
  return earlier === undefined ? today : joined(earlier, today);
}

function liveSpan(quote: LiveQuote, last: DrawnBar | undefined, seconds: number): DrawnBar | null {
  const price = Number(quote.price);
  // Counted from the bar before: the hours of a market begin when it opens, which may be at half past.
  const grid = Number(last?.time ?? 0);
  const start = (grid +
    Math.floor((Date.parse(quote.time) / 1000 - grid) / seconds) * seconds) as UTCTimestamp;
  if (last === undefined || start > Number(last.time))
    return { time: start, open: price, high: price, low: price, close: price, volume: 0 };
  if (start < Number(last.time)) return null;
  return { ...last, high: Math.max(last.high, price), low: Math.min(last.low, price), close: price };
}

/** Most bars that are kept of prices while the source does not have them yet. */
const LIVE_BARS_MAX = 500;

/** The bars with one that prices have made: in the place of the last, or behind it. */
export function withLive(bars: readonly DrawnBar[], live: DrawnBar): readonly DrawnBar[] {
  return bars.at(-1)?.time === live.time ? [...bars.slice(0, -1), live] : [...bars, live];
}

/**
 * The bars that prices have made and the source does not tell yet: it tells a bar when that has ended. Days are told as they
 * run, and a replay that begins anew takes them back.
 */
export function untold(bars: readonly DrawnBar[], made: readonly DrawnBar[]): readonly DrawnBar[] {
  const last = Number(bars.at(-1)?.time ?? 0);
  return made.filter(({ time }) => typeof time === "number" && time > last).slice(-LIVE_BARS_MAX);
}

/** How much older than a moment a bar may be that stands for it, in days: markets rest on weekends and holidays. */
const REST_DAYS_MAX = 7;
const DAY_MS = 86_400_000;

const isUpTo = (time: Time, wanted: string | number) =>
  typeof time === typeof wanted && (time as string | number) <= wanted;

const millisOf = (time: string | number) => (typeof time === "number" ? time * 1000 : Date.parse(time));

/**
 * The time of the bar in which a moment lies, or of the one before where the market rested; null where there is none.
 * `sessionDate` is the trading day of the moment where it is known: in a replay it is long past.
 */
export function timeOfMoment(
  moment: string,
  bars: readonly DrawnBar[],
  interval: ChartInterval,
  sessionDate?: string | null,
): Time | null {
  const wanted = spanOf(moment, interval, sessionDate);
  const time = bars.findLast((bar) => isUpTo(bar.time, wanted))?.time;
  if (typeof time !== "string" && typeof time !== "number") return null;
  return millisOf(wanted) - millisOf(time) <= REST_DAYS_MAX * DAY_MS ? time : null;
}

/** The latest time that the bar of a moment could have. */
function spanOf(moment: string, interval: ChartInterval, sessionDate?: string | null): string | number {
  if (SECONDS[interval] !== undefined) return Math.floor(Date.parse(moment) / 1000);
  const day = sessionDate ?? moment.slice(0, 10);
  return interval === "1w" ? weekOf(day) : day;
}
