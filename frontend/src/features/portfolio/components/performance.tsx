import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Bar, Performance as Course, Currency } from "@/lib/api/types";
import { Decimal } from "@/lib/decimal";
import { useEventsReady } from "@/lib/events-status";
import { formatCash, formatMoney, formatPercent, formatQuantity, formatTime } from "@/lib/format";
import { Gain } from "@/lib/ui/gain";
import { LoadFailure } from "@/lib/ui/notice";
import { Origin } from "@/lib/ui/origin";
import { Empty, Panel } from "@/lib/ui/panel";
import { Segmented } from "@/lib/ui/segmented";
import { performanceQuery } from "../api/performance";
import { benchmarkCurve, returnCurve, worthCurve } from "../hooks/performance";

// The chart library is large: it comes when there is something to draw.
const Curve = lazy(() => import("./curve"));

/** How many days are looked back; null is from the beginning. */
const SPANS = { span1d: 1, span1w: 7, span1m: 30, span1y: 365, spanAll: null } as const;
type Span = keyof typeof SPANS;

interface Props {
  accountId: string;
  currency: Currency;
  /** What it is compared with, if anything, and its days. */
  benchmark: string | null;
  bars: readonly Bar[];
  /** Where another one is chosen. */
  benchmarkChoice: React.ReactNode;
}

/** How the account has done: its worth over time, and its return beside that of something else. */
export function Performance({ accountId, currency, benchmark, bars, benchmarkChoice }: Props) {
  const { t } = useTranslation();
  const ready = useEventsReady();
  const [span, setSpan] = useState<Span>("spanAll");
  const [view, setView] = useState<"return" | "worth">("return");
  const course = useQuery({ ...performanceQuery(accountId, currency, SPANS[span]), enabled: ready });
  return (
    <Panel
      title={t("performance.title", { currency })}
      actions={
        <Segmented
          legend={t("market.range")}
          legendHidden
          size="small"
          value={span}
          onChange={setSpan}
          options={(Object.keys(SPANS) as Span[]).map((value) => ({
            value,
            label: t(`performance.${value}`),
          }))}
        />
      }
    >
      {course.isError && <LoadFailure failure={course.error} onRetry={() => course.refetch()} />}
      {course.isPending && <Empty>{t("app.loading")}</Empty>}
      {course.data !== undefined && (
        <>
          <div className="flex flex-wrap items-center justify-between gap-2 px-3 pb-2">
            <Segmented
              legend={t("performance.view")}
              legendHidden
              size="small"
              value={view}
              onChange={setView}
              options={[
                { value: "return", label: t("performance.return") },
                { value: "worth", label: t("performance.worth") },
              ]}
            />
            {view === "return" && benchmarkChoice}
          </div>
          <Picture course={course.data} view={view} benchmark={benchmark} bars={bars} />
        </>
      )}
    </Panel>
  );
}

interface PictureProps {
  course: Course;
  view: "return" | "worth";
  benchmark: string | null;
  bars: readonly Bar[];
}

function Picture({ course, view, benchmark, bars }: PictureProps) {
  const { t } = useTranslation();
  const { currency, points } = course;
  const own = useMemo(() => (view === "worth" ? worthCurve(points) : returnCurve(points)), [view, points]);
  const other = useMemo(
    () => (view === "worth" || benchmark === null ? [] : benchmarkCurve(points, bars)),
    [view, benchmark, points, bars],
  );
  const last = other.at(-1);
  const format = (value: number) =>
    view === "worth" ? formatCash(new Decimal(value), currency) : formatPercent(new Decimal(value));
  return (
    <>
      <p className="flex flex-wrap gap-x-4 px-3 pb-1 text-[13px]">
        <span>
          <span className="mr-1.5 text-soft">{t("performance.result")}</span>
          <Origin
            label={t("performance.result")}
            rule={t("performance.howWeighted")}
            numbers={() => <Explanation course={course} />}
          >
            <Gain amount={course.pnl ?? null} percent={course.returnPercent ?? null} currency={currency} />
          </Origin>
        </span>
        {last !== undefined && (
          <span data-testid="benchmark-result">
            <span className="mr-1.5 text-soft">{benchmark}</span>
            {formatPercent(new Decimal(last.value))}
          </span>
        )}
      </p>
      <div className="relative h-60">
        {own.length < 2 ? (
          <Empty>{t("performance.soon")}</Empty>
        ) : (
          <Suspense fallback={<Empty>{t("app.loading")}</Empty>}>
            <Curve label={t("performance.label", { currency })} own={own} other={other} format={format} />
          </Suspense>
        )}
      </div>
    </>
  );
}

/** Digits in which a growth is told: enough for a hundredth of a percent of it. */
const GROWTH_DIGITS = 6;

const growthText = (growth: string) => formatQuantity(new Decimal(growth).toDecimalPlaces(GROWTH_DIGITS));

/** How the result came about, in its numbers. */
function Explanation({ course }: { course: Course }) {
  const { t, i18n } = useTranslation();
  const { currency, points } = course;
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return null;
  const money = (amount: string | Decimal) => formatMoney(amount, currency);
  const broughtIn = new Decimal(last.netDeposits).minus(first.netDeposits);
  return (
    <>
      <p>
        {t("performance.howResult", {
          from: formatTime(first.at, i18n.language, true),
          before: money(first.totalValue),
          after: money(last.totalValue),
          broughtIn: money(broughtIn),
          result: money(course.pnl ?? "0"),
        })}
      </p>
      <p>
        {t("performance.howReturn", {
          before: growthText(first.growth),
          after: growthText(last.growth),
          percent: course.returnPercent == null ? "–" : formatPercent(course.returnPercent),
        })}
      </p>
      <p className="text-soft">{t("performance.howBenchmark")}</p>
    </>
  );
}
