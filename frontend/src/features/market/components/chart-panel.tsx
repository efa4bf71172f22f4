import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { LoadFailure } from "@/lib/ui/notice";
import { Empty, Panel } from "@/lib/ui/panel";
import { Segmented } from "@/lib/ui/segmented";
import { historyQuery } from "../api/market";
import { PriceHeader } from "./price-header";

// The chart library is the largest part of the page: it comes after the first screen.
const CandleChart = lazy(() => import("./candle-chart"));

/** How many days the chart shows at first; null is all there are. */
const RANGES = { range1m: 22, range3m: 64, range1y: 252, rangeAll: null } as const;
type Range = keyof typeof RANGES;

/** The chosen symbol's price and its candles. */
export function ChartPanel({ symbol, className }: { symbol: string; className?: string }) {
  const { t } = useTranslation();
  const [range, setRange] = useState<Range>("range3m");
  const history = useQuery(historyQuery(symbol));
  const bars = history.data?.bars ?? [];
  return (
    <Panel title={t("market.chart", { symbol })} titleHidden className={className ?? ""} id="chart">
      <div className="flex flex-wrap items-end justify-between gap-y-2 pb-2">
        <PriceHeader symbol={symbol} />
        <div className="px-3">
          <Segmented
            legend={t("market.range")}
            legendHidden
            size="small"
            value={range}
            onChange={setRange}
            options={(Object.keys(RANGES) as Range[]).map((value) => ({
              value,
              label: t(`market.${value}`),
            }))}
          />
        </div>
      </div>
      <div className="relative min-h-56 flex-1">
        {history.isError && <LoadFailure failure={history.error} onRetry={() => history.refetch()} />}
        {history.isPending && <Empty>{t("app.loading")}</Empty>}
        {history.isSuccess && bars.length === 0 && <Empty>{t("market.chartEmpty")}</Empty>}
        {history.isSuccess && bars.length > 0 && (
          <Suspense fallback={<Empty>{t("app.loading")}</Empty>}>
            <CandleChart key={symbol} history={history.data} days={RANGES[range]} />
          </Suspense>
        )}
      </div>
    </Panel>
  );
}
