import { useInfiniteQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { CurrencyBalance } from "@/lib/api/types";
import { Decimal, sum } from "@/lib/decimal";
import { formatDay, formatGain, formatTime } from "@/lib/format";
import { movementWord } from "@/lib/i18n/sentences";
import { MoreRows } from "@/lib/ui/more-rows";
import { LoadFailure } from "@/lib/ui/notice";
import { Sum } from "@/lib/ui/sum";
import { settlingQuery } from "../api/statement";
import { leastOf } from "../hooks/settling";

const negated = (amount: string) => new Decimal(amount).negated();

/** Cash: what has settled, and what has not. */
export function CashOrigin({ balance }: { balance: CurrencyBalance }) {
  const { t } = useTranslation();
  const { currency, settled, unsettled, cash } = balance;
  return (
    <Sum
      terms={[
        { label: t("accounts.cash.settled"), amount: formatGain(settled, currency) },
        { label: t("accounts.cash.unsettled"), amount: formatGain(unsettled, currency) },
      ]}
      result={formatGain(cash, currency)}
    />
  );
}

/** What has settled: the cash without what trades have promised. */
export function SettledOrigin({ balance }: { balance: CurrencyBalance }) {
  const { t } = useTranslation();
  const { currency, settled, cash, unsettledDays } = balance;
  const receivable = sum(unsettledDays.map((day) => day.receivable));
  const payable = sum(unsettledDays.map((day) => day.payable));
  return (
    <Sum
      terms={[
        { label: t("portfolio.cash"), amount: formatGain(cash, currency) },
        { label: t("origin.toReceive"), amount: formatGain(receivable.negated(), currency) },
        { label: t("origin.toPay"), amount: formatGain(payable, currency) },
      ]}
      result={formatGain(settled, currency)}
    />
  );
}

/** What settles later, day by day. */
export function UnsettledOrigin({ balance }: { balance: CurrencyBalance }) {
  const { i18n } = useTranslation();
  const { currency, unsettled, unsettledDays } = balance;
  return (
    <Sum
      terms={unsettledDays.map(({ settleDate, receivable, payable }) => ({
        label: formatDay(settleDate, i18n.language),
        amount: formatGain(new Decimal(receivable).minus(payable), currency),
      }))}
      result={formatGain(unsettled, currency)}
    />
  );
}

/** What can be taken out: the least that will be there, without what is held. */
export function WithdrawableOrigin({ balance }: { balance: CurrencyBalance }) {
  const { t, i18n } = useTranslation();
  const { currency, held, withdrawable } = balance;
  const { day, amount } = leastOf(balance);
  // The rest is bound otherwise, or less than nothing is there.
  const rest = new Decimal(withdrawable).minus(amount).plus(held);
  return (
    <Sum
      terms={[
        {
          label:
            day === null
              ? t("accounts.cash.settled")
              : t("origin.leastOn", { day: formatDay(day, i18n.language) }),
          amount: formatGain(amount, currency),
        },
        { label: t("portfolio.held"), amount: formatGain(negated(held), currency) },
        ...(rest.isZero() ? [] : [{ label: t("origin.boundOtherwise"), amount: formatGain(rest, currency) }]),
      ]}
      result={formatGain(withdrawable, currency)}
    />
  );
}

interface DayProps {
  balance: CurrencyBalance;
  day: CurrencyBalance["unsettledDays"][number];
}

/** The trades that settle on a day. */
export function DayOrigin({ balance, day }: DayProps) {
  const { t, i18n } = useTranslation();
  const { accountId, currency } = balance;
  const pages = useInfiniteQuery(settlingQuery(accountId, currency, day.settleDate));
  if (pages.data === undefined) {
    if (pages.isError) return <LoadFailure failure={pages.error} onRetry={() => pages.refetch()} />;
    return <p>{t("app.loading")}</p>;
  }
  const lines = pages.data.pages.flatMap((page) => page.lines);
  const result = new Decimal(day.receivable).minus(day.payable);
  const others = result.minus(sum(lines.map(({ amount }) => amount)));
  return (
    <>
      <Sum
        terms={[
          ...lines.map((line) => ({
            label: `${formatTime(line.bookedAt, i18n.language)} ${movementWord(line.kind)} ${line.symbol ?? ""}`,
            amount: formatGain(line.amount, currency),
          })),
          ...(others.isZero() ? [] : [{ label: t("origin.earlier"), amount: formatGain(others, currency) }]),
        ]}
        result={formatGain(result, currency)}
      />
      <MoreRows pages={pages} />
    </>
  );
}
