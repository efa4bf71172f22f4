import { useTranslation } from "react-i18next";
import { type ChartSettings, setPreferences, usePreferences } from "@/lib/preferences";
import { INTERVALS } from "../chart/bars";

const INDICATORS = ["averages", "bollinger", "rsi", "macd"] as const;

const set = (part: Partial<ChartSettings>) =>
  setPreferences(({ chart }) => ({ chart: { ...chart, ...part } }));

/** What the bars span, how prices are drawn, and what is counted from them. */
export function ChartTools() {
  const { t } = useTranslation();
  const chart = usePreferences((state) => state.chart);
  const look = "h-7 rounded-md border border-line bg-panel px-1 text-xs";
  return (
    <>
      <select
        aria-label={t("market.interval")}
        className={look}
        value={chart.interval}
        onChange={(event) => set({ interval: event.target.value as ChartSettings["interval"] })}
      >
        {INTERVALS.map((interval) => (
          <option key={interval} value={interval}>
            {t(`market.intervals.${interval}`)}
          </option>
        ))}
      </select>
      <select
        aria-label={t("market.kind")}
        className={look}
        value={chart.kind}
        onChange={(event) => set({ kind: event.target.value as ChartSettings["kind"] })}
      >
        <option value="candles">{t("market.candles")}</option>
        <option value="line">{t("market.line")}</option>
      </select>
      <details className="relative">
        <summary className={`flex list-none items-center ${look}`}>{t("market.indicators")}</summary>
        <div className="absolute right-0 z-20 mt-1 w-48 space-y-1.5 rounded-lg border border-line bg-panel p-3 text-[13px] shadow-lg">
          {INDICATORS.map((indicator) => (
            <label key={indicator} className="flex items-center gap-2">
              <input
                type="checkbox"
                checked={chart.indicators.includes(indicator)}
                onChange={(event) => {
                  const others = chart.indicators.filter((known) => known !== indicator);
                  set({ indicators: event.target.checked ? [...others, indicator] : others });
                }}
              />
              {t(`market.indicator.${indicator}`)}
            </label>
          ))}
        </div>
      </details>
    </>
  );
}
