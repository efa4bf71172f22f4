import { createChart, type IChartApi, LineSeries, type UTCTimestamp } from "lightweight-charts";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { formatTime } from "@/lib/format";
import { usePreferences } from "@/lib/preferences";
import { chartLook, tickText } from "@/lib/ui/chart-look";
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
  const colours = readColours();
  const { line } = colours;
  return createChart(element, {
    ...chartLook(colours),
    grid: { vertLines: { visible: false }, horzLines: { color: line, style: 1 } },
    localization: {
      locale: language,
      priceFormatter: format,
      timeFormatter: (time: number) => formatTime(new Date(time * 1000).toISOString(), language, true),
    },
    timeScale: { borderColor: line, timeVisible: true, tickMarkFormatter: tickText },
  });
}
