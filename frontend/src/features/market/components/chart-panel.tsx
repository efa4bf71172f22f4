import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { ProblemError } from "@/lib/api/problem";
import { setPreferences, usePreferences } from "@/lib/preferences";
import { LoadFailure } from "@/lib/ui/notice";
import { Empty, Panel } from "@/lib/ui/panel";
import { Segmented } from "@/lib/ui/segmented";
import { useQuietMoment } from "@/lib/ui/use-quiet-moment";
import { historyQuery } from "../api/market";
import type { ChartInterval } from "../chart/bars";
import type { ChartFill, ChartLine } from "../chart/overlays";
import { ChartTools } from "./chart-tools";
import { PriceHeader } from "./price-header";

// The chart library is the largest part of the page: it comes after the first screen.
const CandleChart = lazy(() => import("./candle-chart"));

/** How many days the chart shows at first; null is all there are. */
const RANGES = { range1m: 22, range3m: 64, range1y: 252, rangeAll: null } as const;
type Range = keyof typeof RANGES;
const DAYS_IN_WEEK = 5;
/** Bars shorter than a day shown at first. */
const SHORT_BARS_SHOWN = 120;

function barsShown(range: Range, interval: ChartInterval): number | null {
  const days = RANGES[range];
  if (interval === "1d" || days === null) return days;
  return interval === "1w" ? Math.ceil(days / DAYS_IN_WEEK) : SHORT_BARS_SHOWN;
}

interface Props {
  symbol: string;
  /** Prices drawn as lines: open orders, and what the shares have cost. */
  lines: readonly ChartLine[];
  fills: readonly ChartFill[];
  /** A line was taken to another price. */
  onMoved: (id: string, price: string) => void;
  className?: string;
}

/** The chosen symbol's price and its chart. */
export function ChartPanel({ symbol, lines, fills, onMoved, className }: Props) {
  const { t } = useTranslation();
  const { interval, kind, indicators, range } = usePreferences((state) => state.chart);
  const history = useQuery(historyQuery(symbol, interval === "1w" ? "1d" : interval));
  const bars = history.data?.bars ?? [];
  // Drawing is work: the figures come first.
  const quiet = useQuietMoment();
  return (
    <Panel title={t("market.chart", { symbol })} titleHidden className={className ?? ""} id="chart">
      <div className="flex flex-wrap items-end justify-between gap-y-2 pb-2">
        <PriceHeader symbol={symbol} />
        <div className="flex flex-wrap items-center gap-2 px-3">
          <ChartTools />
          <Segmented
            legend={t("market.range")}
            legendHidden
            size="small"
            value={range}
            onChange={(value) => setPreferences(({ chart }) => ({ chart: { ...chart, range: value } }))}
            options={(Object.keys(RANGES) as Range[]).map((value) => ({
              value,
              label: t(`market.${value}`),
            }))}
          />
        </div>
      </div>
      <div className="relative min-h-56 flex-1">
        {history.isError && <Failure failure={history.error} onRetry={() => history.refetch()} />}
        {(history.isPending || !quiet) && !history.isError && <Empty>{t("app.loading")}</Empty>}
        {quiet && history.isSuccess && bars.length === 0 && <Empty>{t("market.chartEmpty")}</Empty>}
        {quiet && history.isSuccess && bars.length > 0 && (
          <Suspense fallback={<Empty>{t("app.loading")}</Empty>}>
            <CandleChart
              key={symbol}
              history={history.data}
              interval={interval}
              kind={kind}
              indicators={indicators}
              shown={barsShown(range, interval)}
              lines={lines}
              fills={fills}
              onMoved={onMoved}
            />
          </Suspense>
        )}
      </div>
    </Panel>
  );
}

/** Bars that the source does not have are no failure: another interval has some. */
function Failure({ failure, onRetry }: { failure: unknown; onRetry: () => void }) {
  const { t } = useTranslation();
  if (failure instanceof ProblemError && failure.code === "unsupported")
    return <Empty>{t("market.noShortBars")}</Empty>;
  return <LoadFailure failure={failure} onRetry={onRetry} />;
}
