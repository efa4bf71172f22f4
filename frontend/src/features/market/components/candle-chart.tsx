import { useQueryClient } from "@tanstack/react-query";
import {
  type CandlestickData,
  CandlestickSeries,
  ColorType,
  createChart,
  HistogramSeries,
  type IChartApi,
  type ISeriesApi,
  type Time,
} from "lightweight-charts";
import { useEffect, useRef, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";
import type { Bar, History } from "@/lib/api/types";
import { formatDay, MINOR_DIGITS } from "@/lib/format";
import { usePreferences } from "@/lib/preferences";
import { queryKeys } from "@/lib/query-keys";
import type { LiveQuote } from "@/lib/quotes/quote";
import { quotes } from "@/lib/quotes/socket";

/** Empty days to the right of the last candle. */
const RIGHT_MARGIN_BARS = 3;
const VOLUME_SHARE = 0.18;

interface Parts {
  chart: IChartApi;
  candles: ISeriesApi<"Candlestick">;
  volume: ISeriesApi<"Histogram">;
}

/** The drawing works on binary numbers: it only paints; whatever is shown as text elsewhere stays decimal. */
function candle(bar: Omit<Bar, "volume" | "date"> & { date: string }): CandlestickData<string> {
  return {
    time: bar.date,
    open: Number(bar.open),
    high: Number(bar.high),
    low: Number(bar.low),
    close: Number(bar.close),
  };
}

function liveBar(quote: LiveQuote): Bar {
  const { sessionDate: date, open, high, low, price: close, volume } = quote;
  return { date, open, high, low, close, volume };
}

/** The page's colours as the browser has resolved them for light or dark. */
function colours() {
  const probe = document.body.appendChild(document.createElement("span"));
  const of = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  try {
    return readColours(of);
  } finally {
    probe.remove();
  }
}

function readColours(of: (name: string) => string) {
  return {
    up: of("--up"),
    down: of("--down"),
    text: of("--soft"),
    line: of("--line"),
    ground: of("--panel"),
  };
}

function paint({ chart, candles }: Parts): void {
  const { up, down, text, line, ground } = colours();
  chart.applyOptions({
    layout: { background: { type: ColorType.Solid, color: ground }, textColor: text },
    grid: { vertLines: { color: line, style: 1 }, horzLines: { color: line, style: 1 } },
    rightPriceScale: { borderColor: line },
    timeScale: { borderColor: line },
  });
  candles.applyOptions({
    upColor: up,
    downColor: down,
    wickUpColor: up,
    wickDownColor: down,
    borderVisible: false,
  });
}

/** A third of the colour's strength: volumes stand behind the candles. */
const faint = (colour: string) => colour.replace("rgb(", "rgba(").replace(")", ", 0.34)");

function volumePoint(bar: Bar, { up, down }: ReturnType<typeof colours>) {
  const colour = Number(bar.close) >= Number(bar.open) ? up : down;
  return { time: bar.date, value: bar.volume, color: faint(colour) };
}

/** The day in the library's three ways of saying it, as an ISO date. */
function dayOf(time: Time): string {
  if (typeof time === "string") return time;
  if (typeof time === "number") return new Date(time * 1000).toISOString().slice(0, 10);
  const two = (part: number) => String(part).padStart(2, "0");
  return `${time.year}-${two(time.month)}-${two(time.day)}`;
}

function build(container: HTMLElement, currency: History["currency"], language: string): Parts {
  const digits = MINOR_DIGITS[currency];
  const priceText = new Intl.NumberFormat(language, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  const chart = createChart(container, {
    autoSize: true,
    // The library's own sign brings an inline style, which the page's policy refuses; the credit is in the footer.
    layout: { attributionLogo: false, fontFamily: getComputedStyle(document.body).fontFamily },
    localization: {
      locale: language,
      priceFormatter: priceText.format,
      timeFormatter: (time: Time) => formatDay(dayOf(time), language),
    },
    timeScale: { rightOffset: RIGHT_MARGIN_BARS },
    crosshair: { mode: 0 },
    // A finger that scrolls the page must not get stuck in the chart.
    handleScroll: { vertTouchDrag: false },
  });
  const candles = chart.addSeries(CandlestickSeries, {
    priceFormat: { type: "price", precision: digits, minMove: digits === 0 ? 1 : 0.01 },
  });
  const volume = chart.addSeries(HistogramSeries, {
    priceScaleId: "volume",
    priceFormat: { type: "volume" },
    lastValueVisible: false,
    priceLineVisible: false,
  });
  volume.priceScale().applyOptions({ scaleMargins: { top: 1 - VOLUME_SHARE, bottom: 0 } });
  candles.priceScale().applyOptions({ scaleMargins: { top: 0.06, bottom: VOLUME_SHARE + 0.04 } });
  return { chart, candles, volume };
}

function showDays({ chart }: Parts, count: number, days: number | null): void {
  const from = days === null ? 0 : Math.max(0, count - days);
  chart.timeScale().setVisibleLogicalRange({ from: from - 0.5, to: count - 1 + RIGHT_MARGIN_BARS });
}

const DARK_SCHEME = "(prefers-color-scheme: dark)";

function useDarkScheme(): boolean {
  const subscribe = (listener: () => void) => {
    const scheme = window.matchMedia(DARK_SCHEME);
    scheme.addEventListener("change", listener);
    return () => scheme.removeEventListener("change", listener);
  };
  return useSyncExternalStore(subscribe, () => window.matchMedia(DARK_SCHEME).matches);
}

interface Props {
  history: History;
  days: number | null;
}

export default function CandleChart({ history, days }: Props) {
  const { t, i18n } = useTranslation();
  const queries = useQueryClient();
  const container = useRef<HTMLDivElement>(null);
  const parts = useRef<Parts | null>(null);
  const dark = useDarkScheme();
  const risingColour = usePreferences((state) => state.risingColour);
  const theme = usePreferences((state) => state.theme);
  const { symbol, currency, bars } = history;
  const { language } = i18n;

  // biome-ignore lint/correctness/useExhaustiveDependencies: rebuilt when the colours change
  useEffect(() => {
    if (container.current === null) return;
    const built = build(container.current, currency, language);
    parts.current = built;
    paint(built);
    return () => {
      parts.current = null;
      built.chart.remove();
    };
  }, [currency, language, risingColour, theme, dark]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a rebuilt chart is empty
  useEffect(() => {
    const built = parts.current;
    if (built === null) return;
    built.candles.setData(bars.map(candle));
    const chosen = colours();
    built.volume.setData(bars.map((bar) => volumePoint(bar, chosen)));
    const lastDate = bars.at(-1)?.date ?? "";
    let askedFor = lastDate;
    const follow = () => {
      const quote = quotes.get(symbol);
      if (quote === undefined) return;
      // A new day may have begun while nobody looked, and a replay may have begun anew, before its own history.
      if (quote.sessionDate !== askedFor) {
        askedFor = quote.sessionDate;
        void queries.invalidateQueries({ queryKey: queryKeys.history(symbol) });
      }
      if (quote.sessionDate < lastDate) return;
      built.candles.update(candle(liveBar(quote)));
      built.volume.update(volumePoint(liveBar(quote), chosen));
    };
    follow();
    return quotes.subscribe(symbol, follow);
  }, [symbol, bars, currency, language, risingColour, theme, dark, queries]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: new bars must not move what the reader looks at
  useEffect(() => {
    if (parts.current !== null) showDays(parts.current, bars.length, days);
  }, [days, currency, language, risingColour, theme, dark]);

  const first = bars[0]?.date ?? "";
  const last = bars.at(-1)?.date ?? "";
  return (
    <div
      ref={container}
      role="img"
      aria-label={`${t("market.chart", { symbol })}. ${t("market.chartSummary", { count: bars.length, from: first, to: last })}`}
      data-testid="chart"
      className="absolute inset-0"
    />
  );
}
