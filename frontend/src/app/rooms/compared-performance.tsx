import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { historyQuery } from "@/features/market/api/market";
import { nameOf, useWatchlist } from "@/features/market/hooks/use-watchlist";
import { BenchmarkChoice } from "@/features/portfolio/components/benchmark-choice";
import { Performance } from "@/features/portfolio/components/performance";
import type { Currency } from "@/lib/api/types";
import { currencyOf } from "@/lib/currency";
import { BENCHMARKS_MAX } from "@/lib/limits";
import { setPreferences, usePreferences } from "@/lib/preferences";
import { LoadFailure } from "@/lib/ui/notice";

/** How an account has done in a currency, beside a share of the same currency. */
export function ComparedPerformance({ accountId, currency }: { accountId: string; currency: Currency }) {
  const { i18n } = useTranslation();
  const { bySymbol, symbols } = useWatchlist();
  const benchmark = usePreferences((state) => state.benchmarks[currency]) ?? null;
  const history = useQuery({ ...historyQuery(benchmark ?? ""), enabled: benchmark !== null });
  const choices = useMemo(() => {
    const listed = [...symbols, ...bySymbol.keys(), ...(benchmark === null ? [] : [benchmark])];
    const fitting = [...new Set(listed)].filter((symbol) => currencyOf(symbol) === currency);
    return fitting
      .slice(0, BENCHMARKS_MAX)
      .map((symbol) => ({ symbol, name: nameOf(bySymbol.get(symbol), i18n.language) }));
  }, [symbols, bySymbol, benchmark, currency, i18n.language]);
  const choose = (symbol: string | null) =>
    setPreferences(({ benchmarks: { [currency]: _, ...others } }) => ({
      benchmarks: symbol === null ? others : { ...others, [currency]: symbol },
    }));
  const choice = (
    <div>
      <BenchmarkChoice value={benchmark} choices={choices} onChange={choose} />
      {benchmark !== null && history.data === undefined && history.isError && (
        <LoadFailure what={benchmark} failure={history.error} onRetry={() => history.refetch()} />
      )}
    </div>
  );
  return (
    <Performance
      accountId={accountId}
      currency={currency}
      benchmark={benchmark}
      bars={history.data?.bars ?? NO_BARS}
      benchmarkChoice={choice}
    />
  );
}

const NO_BARS: never[] = [];
