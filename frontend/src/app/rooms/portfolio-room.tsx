import { useNavigate } from "@tanstack/react-router";
import { useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import { useAccounts } from "@/features/accounts/hooks/use-account";
import { BetweenCurrencies } from "@/features/portfolio/components/between-currencies";
import { CostMethodChoice } from "@/features/portfolio/components/cost-method";
import { Lots } from "@/features/portfolio/components/lots";
import { Positions } from "@/features/portfolio/components/positions";
import { Sales } from "@/features/portfolio/components/sales";
import { Worth } from "@/features/portfolio/components/worth";
import { useHoldings } from "@/features/portfolio/hooks/use-holdings";
import { LoadFailure } from "@/lib/ui/notice";
import { Empty } from "@/lib/ui/panel";
import { Tabs } from "@/lib/ui/tabs";
import { ComparedPerformance } from "./compared-performance";
import { NoAccount } from "./no-account";

type Book = "positions" | "lots" | "sales";

/** What the account is worth, currency by currency, and the shares and sales behind it. */
export function PortfolioRoom() {
  const { t } = useTranslation();
  const accounts = useAccounts();
  const { chosen } = accounts;
  const holdings = useHoldings(chosen?.id ?? null);
  const [book, setBook] = useState<Book>("positions");
  const navigate = useNavigate();
  const showDesk = useCallback(() => void navigate({ to: "/" }), [navigate]);
  if (chosen === null) return <NoAccount accounts={accounts} />;
  return (
    <div className="grid items-start gap-2 p-2 lg:grid-cols-[20rem_minmax(0,1fr)]">
      <h1 className="sr-only">{t("header.portfolio")}</h1>
      <div className="space-y-2">
        {holdings.isError && <LoadFailure failure={holdings.error} onRetry={() => holdings.refetch()} />}
        {holdings.isPending && <Empty>{t("app.loading")}</Empty>}
        {holdings.data?.values.map((value) => (
          <Worth
            key={value.currency}
            value={value}
            positions={holdings.data.positions.filter(({ currency }) => currency === value.currency)}
          />
        ))}
        {holdings.data !== undefined && (
          <BetweenCurrencies values={holdings.data.values} positions={holdings.data.positions} />
        )}
      </div>
      <div className="min-w-0 space-y-2">
        {holdings.data?.values.map(({ currency }) => (
          <ComparedPerformance key={currency} accountId={chosen.id} currency={currency} />
        ))}
        <section aria-label={t("portfolio.books")} className="min-w-0 rounded-lg border border-line bg-panel">
          <div className="flex justify-end p-2">
            <CostMethodChoice account={chosen} />
          </div>
          <Tabs
            label={t("portfolio.books")}
            value={book}
            onChange={setBook}
            tabs={[
              { value: "positions", label: t("portfolio.title") },
              { value: "lots", label: t("portfolio.lots") },
              { value: "sales", label: t("portfolio.sales") },
            ]}
          >
            {book === "positions" && <Positions accountId={chosen.id} full onShow={showDesk} />}
            {book === "lots" && <Lots accountId={chosen.id} />}
            {book === "sales" && <Sales accountId={chosen.id} />}
          </Tabs>
        </section>
      </div>
    </div>
  );
}
