import {
  CandlestickSeries,
  createChart,
  HistogramSeries,
  type IChartApi,
  type ISeriesApi,
  LineSeries,
  type Time,
} from "lightweight-charts";
import type { History } from "@/lib/api/types";
import { formatDay, formatTime, MINOR_DIGITS } from "@/lib/format";
import { chartLook, tickText } from "@/lib/ui/chart-look";
import { type ChartColours, faint } from "@/lib/ui/colours";
import type { DrawnBar } from "./bars";
import { bollinger, macd, type Points, relativeStrength, simpleAverage } from "./indicators";

export const INDICATORS = ["averages", "bollinger", "rsi", "macd"] as const;
export type Indicator = (typeof INDICATORS)[number];
export type ChartKind = "candles" | "line";

/** Lengths of the moving averages: those that Korean charts show. */
const AVERAGE_LENGTHS = [5, 20, 60, 120] as const;
/** Empty bars to the right of the last one. */
export const RIGHT_MARGIN_BARS = 3;
const VOLUME_SHARE = 0.18;
/** How tall a pane under the prices is beside them. */
const PANE_STRETCH = 0.3;

type PriceSeries = ISeriesApi<"Candlestick"> | ISeriesApi<"Line">;

/** A line that is counted from the closes of all bars. */
export interface Counted {
  /** What it is called in the field, in every language. */
  name: string;
  colour: string;
  series: ISeriesApi<"Line"> | ISeriesApi<"Histogram">;
  points: (closes: readonly number[]) => Points;
}

export interface Drawing {
  chart: IChartApi;
  prices: PriceSeries;
  volume: ISeriesApi<"Histogram">;
  counted: Counted[];
  kind: ChartKind;
  colours: ChartColours;
  /** Whether it was taken away: a price that was on its way may come after that. */
  isGone: boolean;
}

/** Takes the drawing off the screen. */
export function takeAway(drawing: Drawing): void {
  drawing.isGone = true;
  drawing.chart.remove();
}

/** The moment in the library's three ways of saying it. */
function timeText(time: Time, language: string): string {
  if (typeof time === "number") return formatTime(new Date(time * 1000).toISOString(), language, true);
  if (typeof time === "string") return formatDay(time, language);
  const two = (part: number) => String(part).padStart(2, "0");
  return formatDay(`${time.year}-${two(time.month)}-${two(time.day)}`, language);
}

export interface Look {
  currency: History["currency"];
  language: string;
  kind: ChartKind;
  indicators: readonly Indicator[];
  colours: ChartColours;
}

export function draw(container: HTMLElement, look: Look): Drawing {
  const chart = makeChart(container, look);
  const digits = MINOR_DIGITS[look.currency];
  const priceFormat = { type: "price" as const, precision: digits, minMove: digits === 0 ? 1 : 0.01 };
  const { up, down, blue } = look.colours;
  const prices =
    look.kind === "candles"
      ? chart.addSeries(CandlestickSeries, {
          priceFormat,
          upColor: up,
          downColor: down,
          wickUpColor: up,
          wickDownColor: down,
          borderVisible: false,
        })
      : chart.addSeries(LineSeries, { priceFormat, color: blue, lineWidth: 2 });
  const volume = chart.addSeries(HistogramSeries, {
    priceScaleId: "volume",
    priceFormat: { type: "volume" },
    lastValueVisible: false,
    priceLineVisible: false,
  });
  volume.priceScale().applyOptions({ scaleMargins: { top: 1 - VOLUME_SHARE, bottom: 0 } });
  prices.priceScale().applyOptions({ scaleMargins: { top: 0.06, bottom: VOLUME_SHARE + 0.04 } });
  const counted = look.indicators.flatMap((indicator) => addIndicator(chart, indicator, look.colours));
  for (const pane of chart.panes().slice(1)) pane.setStretchFactor(PANE_STRETCH);
  return { chart, prices, volume, counted, kind: look.kind, colours: look.colours, isGone: false };
}

function makeChart(container: HTMLElement, { currency, language, colours }: Look): IChartApi {
  const digits = MINOR_DIGITS[currency];
  const numbers = new Intl.NumberFormat(language, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  const { line } = colours;
  return createChart(container, {
    ...chartLook(colours),
    grid: { vertLines: { color: line, style: 1 }, horzLines: { color: line, style: 1 } },
    localization: {
      locale: language,
      priceFormatter: numbers.format,
      timeFormatter: (time: Time) => timeText(time, language),
    },
    timeScale: {
      rightOffset: RIGHT_MARGIN_BARS,
      borderColor: line,
      timeVisible: true,
      tickMarkFormatter: tickText,
    },
    crosshair: { mode: 0 },
  });
}

const QUIET = {
  lastValueVisible: false,
  priceLineVisible: false,
  crosshairMarkerVisible: false,
  lineWidth: 1,
} as const;

/** Adds the lines of an indicator: over the prices, or in a pane of its own under them. */
function addIndicator(chart: IChartApi, indicator: Indicator, colours: ChartColours): Counted[] {
  const { warn, blue, accent, down, text } = colours;
  const line = (color: string, pane: number) => chart.addSeries(LineSeries, { ...QUIET, color }, pane);
  switch (indicator) {
    case "averages":
      return AVERAGE_LENGTHS.map((length, index) => {
        const colour = [warn, blue, accent, down][index] ?? text;
        const points = (closes: readonly number[]) => simpleAverage(closes, length);
        return { name: `MA ${length}`, colour, series: line(colour, 0), points };
      });
    case "bollinger":
      return (["upper", "middle", "lower"] as const).map((band, index) => ({
        name: ["BB 20, 2 ↑", "BB", "BB ↓"][index] ?? "BB",
        colour: text,
        series: line(text, 0),
        points: (closes) => bollinger(closes)[band],
      }));
    case "rsi": {
      const series = line(blue, chart.panes().length);
      // The whole scale is shown, so that its bounds are seen wherever the line is.
      series.applyOptions({ autoscaleInfoProvider: () => ({ priceRange: { minValue: 0, maxValue: 100 } }) });
      for (const price of [30, 70])
        series.createPriceLine({
          price,
          color: text,
          lineStyle: 3,
          lineWidth: 1,
          title: "",
          axisLabelVisible: false,
        });
      return [{ name: "RSI 14", colour: blue, series, points: (closes) => relativeStrength(closes) }];
    }
    case "macd": {
      const pane = chart.panes().length;
      const bars = chart.addSeries(HistogramSeries, { ...QUIET, color: faint(text) }, pane);
      const own = (part: "histogram" | "line" | "signal") => (closes: readonly number[]) =>
        macd(closes)[part];
      return [
        { name: "MACD 12, 26, 9", colour: blue, series: line(blue, pane), points: own("line") },
        { name: "9", colour: warn, series: line(warn, pane), points: own("signal") },
        { name: "±", colour: text, series: bars, points: own("histogram") },
      ];
    }
  }
}

const volumePoint = (bar: DrawnBar, { up, down }: ChartColours) => ({
  time: bar.time,
  value: bar.volume,
  color: faint(bar.close >= bar.open ? up : down),
});

const pricePoint = (bar: DrawnBar, kind: ChartKind) =>
  kind === "candles" ? bar : { time: bar.time, value: bar.close };

/** Draws all bars. */
export function drawBars(drawing: Drawing, bars: readonly DrawnBar[]): void {
  const { prices, volume, counted, kind, colours, isGone } = drawing;
  if (isGone) return;
  prices.setData(bars.map((bar) => pricePoint(bar, kind)) as never[]);
  volume.setData(bars.map((bar) => volumePoint(bar, colours)));
  const closes = bars.map(({ close }) => close);
  for (const { series, points } of counted) {
    const values = points(closes);
    series.setData(bars.map(({ time }, index) => whitespaceOr(time, values[index])));
  }
}

function whitespaceOr(time: Time, value: number | null | undefined) {
  return value == null ? { time } : { time, value };
}

/** Draws the last bar anew, or a new one behind it. */
export function drawLast(drawing: Drawing, bars: readonly DrawnBar[], last: DrawnBar): void {
  const { prices, volume, kind, colours, isGone } = drawing;
  if (isGone) return;
  prices.update(pricePoint(last, kind) as never);
  volume.update(volumePoint(last, colours));
  if (drawing.counted.length === 0) return;
  const before = bars.at(-1)?.time === last.time ? bars.slice(0, -1) : bars;
  const closes = [...before.map(({ close }) => close), last.close];
  for (const { series, points } of drawing.counted)
    series.update(whitespaceOr(last.time, points(closes).at(-1)));
}

/** Shows the latest bars; null shows all. */
export function showBars({ chart, isGone }: Drawing, count: number, shown: number | null): void {
  if (isGone) return;
  const from = shown === null ? 0 : Math.max(0, count - shown);
  chart.timeScale().setVisibleLogicalRange({ from: from - 0.5, to: count - 1 + RIGHT_MARGIN_BARS });
}
