import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Account, CurrencyBalance } from "@/lib/api/types";
import { useEventsReady } from "@/lib/events-status";
import { formatDay, formatMoney, isZero } from "@/lib/format";
import { Button } from "@/lib/ui/button";
import { Dialog } from "@/lib/ui/dialog";
import { HeldFigure } from "@/lib/ui/held-figure";
import { LoadFailure } from "@/lib/ui/notice";
import { Origin } from "@/lib/ui/origin";
import { Empty } from "@/lib/ui/panel";
import { balanceQuery } from "../api/accounts";
import { useBuyingPower, useMargin } from "../hooks/use-margin";
import { BuyingPowerFigure } from "./buying-power";
import { CashOrigin, DayOrigin, SettledOrigin, UnsettledOrigin, WithdrawableOrigin } from "./cash-origins";
import { DepositForm } from "./deposit-form";
import { ExchangeForm } from "./exchange-form";
import { TransferForm } from "./transfer-form";
import { WithdrawForm } from "./withdraw-form";

const WAYS = ["deposit", "withdraw", "exchange", "transfer"] as const;
type Way = (typeof WAYS)[number];

const FORMS = {
  deposit: DepositForm,
  withdraw: WithdrawForm,
  exchange: ExchangeForm,
  transfer: TransferForm,
};

/** The account's cash, currency by currency, and the ways in and out. */
export function Cash({ account }: { account: Account }) {
  const { t } = useTranslation();
  const ready = useEventsReady();
  const balance = useQuery({ ...balanceQuery(account.id), enabled: ready });
  const [way, setWay] = useState<Way | null>(null);
  const Form = way === null ? null : FORMS[way];
  const close = () => setWay(null);
  return (
    <div className="space-y-3 p-3">
      {account.broker === "simulator" ? (
        <div className="flex flex-wrap gap-2">
          {WAYS.map((known) => (
            <Button key={known} onClick={() => setWay(known)}>
              {t(`accounts.ways.${known}`)}
            </Button>
          ))}
        </div>
      ) : (
        <p className="text-[13px] text-soft">{t("problem.broker_keeps_cash")}</p>
      )}
      {balance.isError && <LoadFailure failure={balance.error} onRetry={() => balance.refetch()} />}
      {balance.isPending && <Empty>{t("app.loading")}</Empty>}
      <div className="grid gap-3 md:grid-cols-2">
        {balance.data?.currencies.map((one) => (
          <CurrencyCard key={one.currency} account={account} balance={one} />
        ))}
      </div>
      {Form !== null && way !== null && (
        <Dialog title={t(`accounts.ways.${way}`)} onClose={close}>
          <Form account={account} onDone={close} />
        </Dialog>
      )}
    </div>
  );
}

function CurrencyCard({ account, balance }: { account: Account; balance: CurrencyBalance }) {
  const { t } = useTranslation();
  const buyingPower = useBuyingPower(account, balance);
  const margin = useMargin(account);
  return (
    <section aria-label={balance.currency} className="rounded-md border border-line p-3">
      <p className="text-soft text-xs">{balance.currency}</p>
      <p className="font-semibold text-xl" data-testid={`cash-${balance.currency}`}>
        <CashFigure figure="cash" balance={balance} />
      </p>
      <dl className="mt-2 space-y-0.5 text-[13px]">
        <Line label={t("accounts.cash.settled")}>
          <CashFigure figure="settled" balance={balance} />
        </Line>
        <Line label={t("accounts.cash.unsettled")}>
          <CashFigure figure="unsettled" balance={balance} />
        </Line>
        <Line label={t("accounts.cash.held")}>
          <HeldFigure balance={balance} />
        </Line>
        <Line label={t("accounts.cash.buyingPower")}>
          <BuyingPowerFigure balance={balance} amount={buyingPower} margin={margin} />
        </Line>
        <Line label={t("accounts.cash.withdrawable")}>
          <CashFigure figure="withdrawable" balance={balance} />
        </Line>
        {balance.unsettledDays.map((day) => (
          <SettlingDay key={day.settleDate} balance={balance} day={day} />
        ))}
      </dl>
    </section>
  );
}

function Line({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="flex justify-between gap-3">
      <dt className="text-soft">{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

const ORIGINS = {
  cash: CashOrigin,
  settled: SettledOrigin,
  unsettled: UnsettledOrigin,
  withdrawable: WithdrawableOrigin,
};

interface FigureProps {
  figure: keyof typeof ORIGINS;
  balance: CurrencyBalance;
}

/** A sum of the account's cash that opens to the way it came about. */
function CashFigure({ figure, balance }: FigureProps) {
  const { t } = useTranslation();
  const Numbers = ORIGINS[figure];
  const label = figure === "cash" ? t("portfolio.cash") : t(`accounts.cash.${figure}`);
  return (
    <Origin label={label} rule={t(`accounts.how.${figure}`)} numbers={() => <Numbers balance={balance} />}>
      {formatMoney(balance[figure], balance.currency)}
    </Origin>
  );
}

interface DayProps {
  balance: CurrencyBalance;
  day: CurrencyBalance["unsettledDays"][number];
}

/** What comes and goes when the trades of a day settle. */
function SettlingDay({ balance, day }: DayProps) {
  const { t, i18n } = useTranslation();
  const { currency } = balance;
  const label = t("accounts.settlesOn", { day: formatDay(day.settleDate, i18n.language) });
  return (
    <div className="flex justify-between gap-3 text-xs">
      <dt className="text-soft">{label}</dt>
      <dd>
        <Origin
          label={label}
          rule={t("accounts.how.day")}
          numbers={() => <DayOrigin balance={balance} day={day} />}
        >
          {!isZero(day.receivable) && `+${formatMoney(day.receivable, currency)} `}
          {!isZero(day.payable) && `−${formatMoney(day.payable, currency)}`}
        </Origin>
      </dd>
    </div>
  );
}
