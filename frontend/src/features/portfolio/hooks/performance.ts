import type { Bar, Performance } from "@/lib/api/types";
import { Decimal } from "@/lib/decimal";

type Point = Performance["points"][number];

/** A point of a drawn line: binary numbers do for a picture. */
export interface Drawn {
  /** Seconds since 1970. */
  time: number;
  value: number;
}

/** One point a second, the last one of each: a drawing knows no two at once. */
function distinct(points: readonly Drawn[]): Drawn[] {
  return points.filter((point, index) => point.time !== points[index + 1]?.time);
}

const secondsOf = (point: Point) => Math.floor(Date.parse(point.at) / 1000);

/** What the account was worth. */
export function worthCurve(points: readonly Point[]): Drawn[] {
  return distinct(points.map((point) => ({ time: secondsOf(point), value: Number(point.totalValue) })));
}

/** Its time-weighted return since the first point, in percent. */
export function returnCurve(points: readonly Point[]): Drawn[] {
  const base = Number(points[0]?.growth ?? 0);
  if (base === 0) return [];
  return distinct(
    points.map((point) => ({ time: secondsOf(point), value: (Number(point.growth) / base - 1) * 100 })),
  );
}

/**
 * What a share has done meanwhile, by its daily closes, in percent: from the first point whose trading day is known. A day
 * without a close has that of the day before.
 */
export function benchmarkCurve(points: readonly Point[], bars: readonly Bar[]): Drawn[] {
  let base: number | null = null;
  const curve: Drawn[] = [];
  for (const point of points) {
    const close = closeOn(bars, point.sessionDate);
    if (close === null) continue;
    base ??= close;
    curve.push({ time: secondsOf(point), value: (close / base - 1) * 100 });
  }
  return distinct(curve);
}

/** The close of the last bar up to a day; bars stand in the order of their days. */
function closeOn(bars: readonly Bar[], day: string | null | undefined): number | null {
  if (day == null) return null;
  let low = 0;
  let high = bars.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((bars[middle]?.date ?? "") <= day) low = middle + 1;
    else high = middle;
  }
  const bar = bars[low - 1];
  return bar === undefined ? null : Number(bar.close);
}

/** What a session has brought, at prices that are newer than the server's answer. */
export interface SessionResult {
  pnl: Decimal;
  percent: Decimal | null;
}

/**
 * The result of the session so far: worth of now less worth at the end of the session before, less what was brought in
 * since. In percent of what was there then and came in since.
 */
export function sessionResult(
  before: Pick<Point, "totalValue" | "netDeposits">,
  total: Decimal,
  netDeposits: string,
): SessionResult {
  const broughtIn = new Decimal(netDeposits).minus(before.netDeposits);
  const pnl = total.minus(before.totalValue).minus(broughtIn);
  const atWork = new Decimal(before.totalValue).plus(broughtIn.isNegative() ? 0 : broughtIn);
  return { pnl, percent: atWork.greaterThan(0) ? pnl.dividedBy(atWork).times(100) : null };
}
