import type { MouseEventParams, Time } from "lightweight-charts";
import type { Drawing } from "./drawing";

/** The bar under the reader's pointer, as it is drawn. */
export interface Pointed {
  time: Time;
  /** Only the close where a line is drawn. */
  open: number | null;
  high: number | null;
  low: number | null;
  close: number;
  volume: number | null;
  /** Against the close of the bar before, in percent. */
  changePercent: number | null;
  /** Of each line that is counted, in their order. */
  values: (number | null)[];
}

const part = (point: unknown, name: string): number | null => {
  const value = (point as Record<string, unknown> | null | undefined)?.[name];
  return typeof value === "number" ? value : null;
};

const closeOf = (point: unknown) => part(point, "close") ?? part(point, "value");

/** Reads the bar under the pointer; null beside the bars. */
export function pointedBar(
  { prices, volume, counted }: Drawing,
  { time, logical, seriesData }: MouseEventParams,
): Pointed | null {
  const bar = seriesData.get(prices);
  const close = closeOf(bar);
  if (time === undefined || logical === undefined || close === null) return null;
  const before = closeOf(prices.dataByIndex(logical - 1));
  return {
    time,
    open: part(bar, "open"),
    high: part(bar, "high"),
    low: part(bar, "low"),
    close,
    volume: part(seriesData.get(volume), "value"),
    changePercent: before === null || before === 0 ? null : (close / before - 1) * 100,
    values: counted.map(({ series }) => part(seriesData.get(series), "value")),
  };
}
