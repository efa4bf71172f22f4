import { useTranslation } from "react-i18next";
import type { AccountValue, Position } from "@/lib/api/types";
import { Decimal } from "@/lib/decimal";
import { formatMoney, isZero } from "@/lib/format";
import { quotes, useQuotesStatus } from "@/lib/quotes/socket";
import { useQuotesText } from "@/lib/quotes/use-quote";
import { Gain } from "@/lib/ui/gain";
import { Panel } from "@/lib/ui/panel";
import { useDayResult } from "../hooks/use-day-result";
import { valueOfAccount } from "../hooks/value";
import { Allocation } from "./allocation";
import { AccountFigure, AccountLine, DayFigure, Line, type Shown } from "./figure";

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
  const shown = { value, positions, live };
  return (
    <Panel title={t("portfolio.worthIn", { currency })}>
      <div className={`space-y-3 p-3 pt-0 ${stale && positions.length > 0 ? "opacity-60" : ""}`}>
        <p className="font-semibold text-2xl" data-testid={`worth-${currency}`}>
          <AccountFigure figure="worth" {...shown}>
            {live === null ? "–" : formatMoney(live.totalValue, currency)}
          </AccountFigure>
        </p>
        <dl className="divide-y divide-line/60 text-[13px]">
          <Gains {...shown} />
          <Booked {...shown} />
        </dl>
        <Allocation cash={value.cash} currency={currency} positions={positions} />
      </div>
    </Panel>
  );
}

/** What moves with the prices. */
function Gains(shown: Shown) {
  const { value, live } = shown;
  const { currency } = value;
  return (
    <>
      <AccountLine figure="totalPnl" {...shown}>
        <Gain amount={live?.totalPnl} percent={live?.totalPnlPercent} currency={currency} />
      </AccountLine>
      <Day {...shown} />
      <AccountLine figure="unrealised" {...shown}>
        <Gain amount={live?.unrealised} currency={currency} />
      </AccountLine>
    </>
  );
}

/** What the running session has brought: measured where it was written down what there was before, else estimated. */
function Day({ value, positions, live }: Shown) {
  const { t } = useTranslation();
  const total = live?.totalValue ?? null;
  const day = useDayResult(value, positions, total);
  return (
    <Line label={t("portfolio.dayChange")}>
      <DayFigure value={value} positions={positions} total={total} day={day}>
        <Gain amount={day.amount} percent={day.percent} currency={value.currency} />
      </DayFigure>
    </Line>
  );
}

/** What stands in the books. */
function Booked(shown: Shown) {
  const { value, live } = shown;
  const { currency } = value;
  const money = (amount: Decimal | string) => formatMoney(amount, currency);
  return (
    <>
      <AccountLine figure="realised" {...shown}>
        <Gain amount={value.realisedPnl} currency={currency} />
      </AccountLine>
      <AccountLine figure="dividends" {...shown}>
        {money(value.dividends)}
      </AccountLine>
      <AccountLine figure="fees" {...shown}>
        {money(new Decimal(value.commission).plus(value.exchangeFees))}
      </AccountLine>
      <AccountLine figure="tax" {...shown}>
        {money(value.tax)}
      </AccountLine>
      {!isZero(value.interest) && (
        <AccountLine figure="interest" {...shown}>
          <Gain amount={value.interest} currency={currency} />
        </AccountLine>
      )}
      <AccountLine figure="cash" {...shown}>
        {money(value.cash)}
      </AccountLine>
      <AccountLine figure="shares" {...shown}>
        {live === null ? "–" : money(live.positionsValue)}
      </AccountLine>
      <AccountLine figure="deposits" {...shown}>
        {money(value.netDeposits)}
      </AccountLine>
    </>
  );
}
