import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { AccountValue, Position } from "@/lib/api/types";
import { Decimal, sum } from "@/lib/decimal";
import { formatMoney } from "@/lib/format";
import { quotes, useQuotesStatus } from "@/lib/quotes/socket";
import { useQuotesText } from "@/lib/quotes/use-quote";
import { Gain } from "@/lib/ui/gain";
import { Panel } from "@/lib/ui/panel";
import { INTEREST, movementsQuery } from "../api/performance";
import { useDayResult } from "../hooks/use-day-result";
import { type LiveAccountValue, valueOfAccount } from "../hooks/value";
import { Allocation } from "./allocation";
import { Figure } from "./figure";
import {
  BookedOrigin,
  CashOrigin,
  DayOrigin,
  FeesOrigin,
  FlowsOrigin,
  GainOrigin,
  MovementsOrigin,
  SessionOrigin,
  SharesOrigin,
  TaxOrigin,
} from "./origins";

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
  return (
    <Panel title={t("portfolio.worthIn", { currency })}>
      <div className={`space-y-3 p-3 pt-0 ${stale && positions.length > 0 ? "opacity-60" : ""}`}>
        <p className="font-semibold text-2xl" data-testid={`worth-${currency}`}>
          {live === null ? "–" : formatMoney(live.totalValue, currency)}
        </p>
        <dl className="divide-y divide-line/60 text-[13px]">
          <Gains value={value} positions={positions} live={live} />
          <Booked value={value} positions={positions} live={live} />
        </dl>
        <Allocation cash={value.cash} currency={currency} positions={positions} />
      </div>
    </Panel>
  );
}

interface PartProps extends Props {
  live: LiveAccountValue | null;
}

/** What moves with the prices. */
function Gains({ value, positions, live }: PartProps) {
  const { t } = useTranslation();
  const { currency } = value;
  const total = live?.totalValue ?? null;
  return (
    <>
      <Figure
        label={t("portfolio.totalPnl")}
        rule={t("portfolio.howPnl")}
        {...(live !== null && {
          numbers: () => <GainOrigin value={value} sharesWorth={live.positionsValue} />,
        })}
      >
        <Gain amount={live?.totalPnl} percent={live?.totalPnlPercent} currency={currency} />
      </Figure>
      <Day value={value} positions={positions} total={total} />
      <Figure
        label={t("portfolio.unrealised")}
        rule={t("portfolio.howUnrealised")}
        numbers={() => <SharesOrigin value={value} positions={positions} kind="unrealised" />}
      >
        <Gain amount={live?.unrealised} currency={currency} />
      </Figure>
    </>
  );
}

/** What the running session has brought: measured where it was written down what there was before, else estimated. */
function Day({ value, positions, total }: Props & { total: Decimal | null }) {
  const { t } = useTranslation();
  const { amount, percent, session } = useDayResult(value, positions, total);
  if (session === null || total === null) {
    return (
      <Figure
        label={t("portfolio.dayChange")}
        rule={t("portfolio.howDay")}
        numbers={() => <DayOrigin positions={positions} currency={value.currency} />}
      >
        <Gain amount={amount} currency={value.currency} />
      </Figure>
    );
  }
  return (
    <Figure
      label={t("portfolio.dayChange")}
      rule={t("portfolio.howSession", { day: session.sessionDate })}
      numbers={() => <SessionOrigin value={value} total={total} session={session} />}
    >
      <Gain amount={amount} percent={percent} currency={value.currency} />
    </Figure>
  );
}

/** What credit has cost, where there was any. */
function Interest({ value }: { value: AccountValue }) {
  const { t } = useTranslation();
  const { accountId, currency } = value;
  const { data: paid } = useQuery(movementsQuery(accountId, currency, INTEREST));
  if (paid === undefined || paid.lines.length === 0 || !paid.complete) return null;
  return (
    <Figure
      label={t("portfolio.interest")}
      rule={t("portfolio.howInterest")}
      numbers={() => <MovementsOrigin value={value} kinds={INTEREST} />}
    >
      <Gain amount={sum(paid.lines.map(({ amount }) => amount))} currency={currency} />
    </Figure>
  );
}

/** What stands in the books. */
function Booked({ value, positions, live }: PartProps) {
  const { t } = useTranslation();
  const { currency } = value;
  const money = (amount: Decimal | string) => formatMoney(amount, currency);
  return (
    <>
      <Figure
        label={t("portfolio.realised")}
        rule={t("portfolio.howRealised")}
        numbers={() => <BookedOrigin value={value} positions={positions} kind="realised" />}
      >
        <Gain amount={value.realisedPnl} currency={currency} />
      </Figure>
      <Figure
        label={t("portfolio.dividends")}
        rule={t("portfolio.howDividends")}
        numbers={() => <BookedOrigin value={value} positions={positions} kind="dividends" />}
      >
        {money(value.dividends)}
      </Figure>
      <Figure
        label={t("portfolio.feesPaid")}
        rule={t("portfolio.howFees")}
        numbers={() => <FeesOrigin value={value} />}
      >
        {money(new Decimal(value.commission).plus(value.exchangeFees))}
      </Figure>
      <Figure
        label={t("portfolio.taxPaid")}
        rule={t("portfolio.howTax")}
        numbers={() => <TaxOrigin value={value} />}
      >
        {money(value.tax)}
      </Figure>
      <Interest value={value} />
      <Figure
        label={t("portfolio.cash")}
        rule={t("portfolio.howCash")}
        numbers={() => <CashOrigin value={value} positions={positions} />}
      >
        {money(value.cash)}
      </Figure>
      <Figure
        label={t("portfolio.positionsValue")}
        rule={t("portfolio.howShares")}
        numbers={() => <SharesOrigin value={value} positions={positions} kind="value" />}
      >
        {live === null ? "–" : money(live.positionsValue)}
      </Figure>
      <Figure
        label={t("portfolio.netDeposits")}
        rule={t("portfolio.howDeposits")}
        numbers={() => <FlowsOrigin value={value} />}
      >
        {money(value.netDeposits)}
      </Figure>
    </>
  );
}
