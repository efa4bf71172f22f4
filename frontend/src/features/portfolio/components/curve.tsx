import { ColorType, createChart, type IChartApi, LineSeries, type UTCTimestamp } from "lightweight-charts";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { formatTime } from "@/lib/format";
import { usePreferences } from "@/lib/preferences";
import { readColours } from "@/lib/ui/colours";
import type { Drawn } from "../hooks/performance";

interface Props {
  label: string;
  own: readonly Drawn[];
  /** Beside it, where it is compared with something. */
  other: readonly Drawn[];
  format: (value: number) => string;
}

const DECIMALS = 2;

/** One or two lines over time. */
export default function Curve({ label, own, other, format }: Props) {
  const { i18n } = useTranslation();
  const { language } = i18n;
  const container = useRef<HTMLDivElement>(null);
  const latestFormat = useRef(format);
  latestFormat.current = format;
  const theme = usePreferences((state) => state.theme);

  // biome-ignore lint/correctness/useExhaustiveDependencies: drawn anew when the colours change
  useEffect(() => {
    const element = container.current;
    if (element === null) return;
    const chart = makeChart(element, language, (value) => latestFormat.current(value));
    const { accent, text } = readColours();
    const line = { lineWidth: 2, priceLineVisible: false, crosshairMarkerVisible: true } as const;
    const price = { priceFormat: { type: "price", precision: DECIMALS, minMove: 0.01 } } as const;
    const series = chart.addSeries(LineSeries, { ...line, ...price, color: accent });
    series.setData(own.map(({ time, value }) => ({ time: time as UTCTimestamp, value })));
    if (other.length > 0)
      chart
        .addSeries(LineSeries, { ...line, ...price, color: text, lineStyle: 2, lineWidth: 1 })
        .setData(other.map(({ time, value }) => ({ time: time as UTCTimestamp, value })));
    chart.timeScale().fitContent();
    return () => chart.remove();
  }, [own, other, language, theme]);

  return (
    <div ref={container} role="img" aria-label={label} data-testid="curve" className="absolute inset-0" />
  );
}

function makeChart(element: HTMLElement, language: string, format: (value: number) => string): IChartApi {
  const { text, line, ground } = readColours();
  return createChart(element, {
    autoSize: true,
    layout: {
      // The credit is in the desk's footer: the library's own sign brings a style that the page's policy refuses.
      attributionLogo: false,
      fontFamily: getComputedStyle(document.body).fontFamily,
      background: { type: ColorType.Solid, color: ground },
      textColor: text,
    },
    grid: { vertLines: { visible: false }, horzLines: { color: line, style: 1 } },
    rightPriceScale: { borderColor: line },
    localization: {
      locale: language,
      priceFormatter: format,
      timeFormatter: (time: number) => formatTime(new Date(time * 1000).toISOString(), language, true),
    },
    timeScale: { borderColor: line, timeVisible: true },
    handleScroll: { vertTouchDrag: false },
  });
}
