import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";
import type { History } from "@/lib/api/types";
import { CHART_SHARE, CHART_WAIT_MS_MAX, SHOWN_INTERVAL_MS } from "@/lib/limits";
import { Pace, timeFrame } from "@/lib/pace";
import { usePreferences } from "@/lib/preferences";
import { usePriceGrid } from "@/lib/price-grid";
import { queryKeys } from "@/lib/query-keys";
import { quotes } from "@/lib/quotes/socket";
import type { PriceGrid } from "@/lib/ticks";
import { readColours } from "@/lib/ui/colours";
import { type ChartInterval, type DrawnBar, drawnBars, liveBar, untold, withLive } from "../chart/bars";
import {
  type ChartKind,
  type Drawing,
  draw,
  drawBars,
  drawLast,
  type Indicator,
  showBars,
  takeAway,
} from "../chart/drawing";
import { type ChartFill, type ChartLine, Overlays } from "../chart/overlays";
import { ChartLegend } from "./chart-legend";

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
  interval: ChartInterval;
  kind: ChartKind;
  indicators: readonly Indicator[];
  /** How many bars are shown at first; null is all. */
  shown: number | null;
  lines: readonly ChartLine[];
  fills: readonly ChartFill[];
  onMoved: (id: string, price: string) => void;
}

interface Parts {
  drawing: Drawing;
  overlays: Overlays;
}

export default function CandleChart(props: Props) {
  const { history, interval, kind, indicators, shown, lines, fills } = props;
  const { t, i18n } = useTranslation();
  const container = useRef<HTMLDivElement>(null);
  const [parts, setParts] = useState<Parts | null>(null);
  const dark = useDarkScheme();
  const risingColour = usePreferences((state) => state.risingColour);
  const theme = usePreferences((state) => state.theme);
  const { symbol, currency, bars: days } = history;
  const { language } = i18n;
  const bars = useMemo(() => drawnBars(days, interval), [days, interval]);
  const latest = useRef(props);
  latest.current = props;
  const grid = useRef<PriceGrid | null>(null);
  grid.current = usePriceGrid(symbol);
  const chosen = indicators.join(" ");

  // biome-ignore lint/correctness/useExhaustiveDependencies: rebuilt when the colours change
  useEffect(() => {
    const element = container.current;
    if (element === null) return;
    const look = { currency, language, kind, indicators, colours: readColours() };
    const drawing = draw(element, look);
    const moved = (id: string, price: string) => latest.current.onMoved(id, price);
    const overlays = new Overlays(element, drawing, () => grid.current, moved);
    setParts({ drawing, overlays });
    return () => {
      overlays.stop();
      takeAway(drawing);
      setParts(null);
    };
  }, [currency, language, kind, chosen, risingColour, theme, dark]);

  const made = useLivePrices(parts?.drawing ?? null, symbol, bars, days, interval);

  // biome-ignore lint/correctness/useExhaustiveDependencies: new bars must not move what the reader looks at
  useEffect(() => {
    if (parts !== null) showBars(parts.drawing, bars.length, shown);
  }, [parts, shown, interval]);

  useEffect(() => parts?.overlays.setLines(lines), [parts, lines]);
  useEffect(
    () => parts?.overlays.setFills(fills, [...bars, ...made], interval),
    [parts, fills, bars, made, interval],
  );

  const first = days[0]?.date ?? "";
  const last = days.at(-1)?.date ?? "";
  return (
    <>
      <div
        ref={container}
        role="img"
        aria-label={`${t("market.chart", { symbol })}. ${t("market.chartSummary", { count: days.length, from: first, to: last })}`}
        data-testid="chart"
        className="absolute inset-0"
      />
      <ChartLegend drawing={parts?.drawing ?? null} currency={currency} />
    </>
  );
}

const NONE: readonly DrawnBar[] = [];

/**
 * Draws the bars, and the last of them anew with every price. Gives those that prices have made and the source does not tell
 * yet, as they were when the last of them began.
 */
function useLivePrices(
  drawing: Drawing | null,
  symbol: string,
  bars: readonly DrawnBar[],
  days: History["bars"],
  interval: ChartInterval,
): readonly DrawnBar[] {
  const queries = useQueryClient();
  const chart = `${symbol} ${interval}`;
  const kept = useRef({ chart, made: NONE });
  const [made, setMade] = useState(NONE);
  useEffect(() => {
    if (drawing === null) return;
    const keep = (bars: readonly DrawnBar[]) => {
      kept.current = { chart, made: bars };
    };
    keep(kept.current.chart === chart ? untold(bars, kept.current.made) : NONE);
    let drawn: readonly DrawnBar[] = [...bars, ...kept.current.made];
    drawBars(drawing, drawn);
    setMade(kept.current.made);
    let askedFor = days.at(-1)?.date ?? "";
    const follow = () => {
      const quote = quotes.get(symbol);
      if (quote === undefined) return;
      // A new day may have begun while nobody looked, and a replay may have begun anew, before its own history.
      if (quote.sessionDate !== askedFor) {
        askedFor = quote.sessionDate;
        void queries.invalidateQueries({ queryKey: queryKeys.history(symbol) });
      }
      const live = liveBar(quote, drawn, days, interval);
      if (live === null) return;
      const isNew = drawn.at(-1)?.time !== live.time;
      drawn = withLive(drawn, live);
      drawLast(drawing, drawn, live);
      keep(untold(bars, drawn));
      if (isNew) setMade(kept.current.made);
    };
    follow();
    const pace = new Pace({ share: CHART_SHARE, waitMsMin: SHOWN_INTERVAL_MS, waitMsMax: CHART_WAIT_MS_MAX });
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = quotes.subscribe(symbol, () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        timeFrame(follow, (milliseconds) => pace.took(milliseconds));
      }, pace.waitMs);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [drawing, symbol, chart, bars, days, interval, queries]);
  return made;
}
