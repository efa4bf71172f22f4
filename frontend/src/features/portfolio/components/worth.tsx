import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { AccountValue, Position } from "@/lib/api/types";
import { Decimal } from "@/lib/decimal";
import { formatMoney } from "@/lib/format";
import { quotes, useQuotesStatus } from "@/lib/quotes/socket";
import { useQuotesText } from "@/lib/quotes/use-quote";
import { Gain } from "@/lib/ui/gain";
import { Panel } from "@/lib/ui/panel";
import { dayChange } from "../hooks/day-change";
import { valueOfAccount } from "../hooks/value";
import { Allocation } from "./allocation";

interface Props {
  value: AccountValue;
  positions: readonly Position[];
}

/** What the account has in one currency, what it has gained, and how each figure came about. */
export function Worth({ value, positions }: Props) {
  const { t } = useTranslation();
  const { currency } = value;
  const stale = useQuotesStatus((state) => state.status !== "open");
  const symbols = positions.map(({ symbol }) => symbol);
  // Renders again only when a price of something held has changed.
  useQuotesText(symbols, () => symbols.map((symbol) => quotes.get(symbol)?.price ?? "").join(" "));
  const live = valueOfAccount(value, positions, (symbol) => quotes.get(symbol)?.price);
  const money = (amount: Decimal | string | undefined) =>
    amount === undefined ? "–" : formatMoney(amount, currency);
  const fees = new Decimal(value.commission).plus(value.exchangeFees);
  return (
    <Panel title={t("portfolio.worthIn", { currency })}>
      <div className={`space-y-3 p-3 pt-0 ${stale && positions.length > 0 ? "opacity-60" : ""}`}>
        <p className="font-semibold text-2xl" data-testid={`worth-${currency}`}>
          {money(live?.totalValue)}
        </p>
        <dl className="divide-y divide-line/60 text-[13px]">
          <Figure label={t("portfolio.totalPnl")} how={t("portfolio.howPnl")}>
            <Gain amount={live?.totalPnl} percent={live?.totalPnlPercent} currency={currency} />
          </Figure>
          <Figure label={t("portfolio.dayChange")} how={t("portfolio.howDay")}>
            <Gain amount={dayChange(positions, (symbol) => quotes.get(symbol)?.change)} currency={currency} />
          </Figure>
          <Figure label={t("portfolio.unrealised")} how={t("portfolio.howUnrealised")}>
            <Gain amount={live?.unrealised} currency={currency} />
          </Figure>
          <Figure label={t("portfolio.realised")} how={t("portfolio.howRealised")}>
            <Gain amount={value.realisedPnl} currency={currency} />
          </Figure>
          <Figure label={t("portfolio.dividends")} how={t("portfolio.howDividends")}>
            {money(value.dividends)}
          </Figure>
          <Figure label={t("portfolio.feesPaid")} how={t("portfolio.howFees")}>
            {money(fees)}
          </Figure>
          <Figure label={t("portfolio.taxPaid")} how={t("portfolio.howTax")}>
            {money(value.tax)}
          </Figure>
          <Figure label={t("portfolio.cash")} how={t("portfolio.howCash")}>
            {money(value.cash)}
          </Figure>
          <Figure label={t("portfolio.positionsValue")} how={t("portfolio.howShares")}>
            {money(live?.positionsValue)}
          </Figure>
          <Figure label={t("portfolio.netDeposits")} how={t("portfolio.howDeposits")}>
            {money(value.netDeposits)}
          </Figure>
        </dl>
        <Allocation cash={value.cash} currency={currency} positions={positions} />
      </div>
    </Panel>
  );
}

/** A figure that opens to the way it is counted. */
function Figure({ label, how, children }: { label: string; how: string; children: ReactNode }) {
  return (
    <div className="flex items-start justify-between gap-3 py-1.5">
      <dt className="text-soft">
        <details>
          <summary className="marker:text-line">{label}</summary>
          <p className="mt-1 mb-1 max-w-56 text-xs">{how}</p>
        </details>
      </dt>
      <dd className="text-right">{children}</dd>
    </div>
  );
}
