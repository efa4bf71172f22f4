import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Account, AccountValue, Balance, Position } from "@/lib/api/types";
import { Decimal } from "@/lib/decimal";
import { formatMoney } from "@/lib/format";
import { quotes, useQuotesStatus } from "@/lib/quotes/socket";
import { useQuotesText } from "@/lib/quotes/use-quote";
import { Gain } from "@/lib/ui/gain";
import { HeldFigure } from "@/lib/ui/held-figure";
import { LoadFailure } from "@/lib/ui/notice";
import { Empty, Panel } from "@/lib/ui/panel";
import { useQuietMoment } from "@/lib/ui/use-quiet-moment";
import { useDayResult } from "../hooks/use-day-result";
import { useHoldings } from "../hooks/use-holdings";
import { valueOfAccount } from "../hooks/value";
import { AccountFigure, DayFigure } from "./figure";

interface Props {
  account: Account;
  balance: Balance | undefined;
  /** What can be bought for, credit included where the account has it. */
  buyingPower: ReactNode;
}

/** Cash, worth and profit of the account. */
export function Summary({ account, balance, buyingPower }: Props) {
  const { t } = useTranslation();
  const holdings = useHoldings(account.id);
  if (holdings.isError) return <LoadFailure failure={holdings.error} onRetry={() => holdings.refetch()} />;
  const value = holdings.data?.value;
  return (
    <Panel title={t("portfolio.value")} titleHidden id="summary">
      {balance !== undefined && holdings.data !== undefined && value ? (
        <Figures
          account={account}
          balance={balance}
          buyingPower={buyingPower}
          value={value}
          positions={holdings.data.positions}
        />
      ) : (
        <Empty>{t("app.loading")}</Empty>
      )}
    </Panel>
  );
}

interface FiguresProps {
  account: Account;
  balance: Balance;
  buyingPower: ReactNode;
  value: AccountValue;
  positions: readonly Position[];
}

function Figures({ account, balance, buyingPower, value, positions: all }: FiguresProps) {
  const { t } = useTranslation();
  const { currency } = account;
  // Amounts of another currency are never added to these.
  const positions = all.filter((position) => position.currency === currency);
  const stale = useQuotesStatus((state) => state.status !== "open");
  // The day is asked for; the first screen does not wait for it.
  const quiet = useQuietMoment();
  const symbols = positions.map(({ symbol }) => symbol);
  const livePrice = (symbol: string) => quotes.get(symbol)?.price;
  // Renders again only when a price of something held has changed.
  useQuotesText(symbols, () => symbols.map((symbol) => livePrice(symbol) ?? "").join(" "));
  const live = valueOfAccount(value, positions, livePrice);
  const shown = { value, positions, live };
  return (
    <div className="p-3">
      <div className={stale && positions.length > 0 ? "opacity-60" : ""}>
        <p className="text-soft text-xs">
          {t("portfolio.value")} · {account.name}
        </p>
        <p className="font-semibold text-2xl" data-testid="total-value">
          <AccountFigure figure="worth" {...shown}>
            {live === null ? "–" : formatMoney(live.totalValue, currency)}
          </AccountFigure>
        </p>
        <p className="text-[13px]" data-testid="total-pnl">
          <span className="mr-2 text-soft">{t("portfolio.totalPnl")}</span>
          <AccountFigure figure="totalPnl" {...shown}>
            <Gain amount={live?.totalPnl} percent={live?.totalPnlPercent} currency={currency} />
          </AccountFigure>
        </p>
        <p className="text-[13px]" data-testid="day-pnl">
          <span className="mr-2 text-soft">{t("portfolio.dayPnl")}</span>
          {quiet ? (
            <Day value={value} positions={positions} total={live?.totalValue ?? null} />
          ) : (
            <span className="text-soft">–</span>
          )}
        </p>
      </div>
      <dl className="mt-3 grid grid-cols-2 gap-x-4 gap-y-1.5 border-line border-t pt-2.5 text-[13px]">
        <Place label={t("portfolio.cash")} testId="cash">
          <AccountFigure figure="cash" {...shown}>
            {formatMoney(balance.cash, currency)}
          </AccountFigure>
        </Place>
        <Place label={t("portfolio.buyingPower")} testId="buying-power">
          {buyingPower}
        </Place>
        <Place label={t("portfolio.held")}>
          <HeldFigure balance={balance} />
        </Place>
        <Place label={t("portfolio.positionsValue")}>
          <AccountFigure figure="shares" {...shown}>
            {live === null ? "–" : formatMoney(live.positionsValue, currency)}
          </AccountFigure>
        </Place>
        <Place label={t("portfolio.unrealised")}>
          <AccountFigure figure="unrealised" {...shown}>
            <Gain amount={live?.unrealised} currency={currency} />
          </AccountFigure>
        </Place>
        <Place label={t("portfolio.realised")}>
          <AccountFigure figure="realised" {...shown}>
            <Gain amount={value.realisedPnl} currency={currency} />
          </AccountFigure>
        </Place>
        <Place label={t("portfolio.fees")}>
          <AccountFigure figure="costs" {...shown}>
            {formatMoney(new Decimal(value.commission).plus(value.tax), currency)}
          </AccountFigure>
        </Place>
      </dl>
    </div>
  );
}

interface DayProps {
  value: AccountValue;
  positions: readonly Position[];
  total: Decimal | null;
}

function Day({ value, positions, total }: DayProps) {
  const day = useDayResult(value, positions, total);
  return (
    <DayFigure value={value} positions={positions} total={total} day={day}>
      <Gain amount={day.amount} percent={day.percent} currency={value.currency} />
    </DayFigure>
  );
}

function Place({ label, testId, children }: { label: string; testId?: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="truncate text-soft text-xs">{label}</dt>
      <dd data-testid={testId}>{children}</dd>
    </div>
  );
}
