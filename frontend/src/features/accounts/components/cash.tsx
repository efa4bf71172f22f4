import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Account, CurrencyBalance } from "@/lib/api/types";
import { useEventsReady } from "@/lib/events-status";
import { formatDay, formatMoney, isZero } from "@/lib/format";
import { Button } from "@/lib/ui/button";
import { Dialog } from "@/lib/ui/dialog";
import { LoadFailure } from "@/lib/ui/notice";
import { Empty } from "@/lib/ui/panel";
import { balanceQuery } from "../api/accounts";
import { useBuyingPower } from "../hooks/use-margin";
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
  const { t, i18n } = useTranslation();
  const buyingPower = useBuyingPower(account, balance);
  const { currency } = balance;
  const rows = [
    ["settled", balance.settled],
    ["unsettled", balance.unsettled],
    ["held", balance.held],
    ["buyingPower", buyingPower],
    ["withdrawable", balance.withdrawable],
  ] as const;
  return (
    <section aria-label={currency} className="rounded-md border border-line p-3">
      <p className="text-soft text-xs">{currency}</p>
      <p className="font-semibold text-xl" data-testid={`cash-${currency}`}>
        {formatMoney(balance.cash, currency)}
      </p>
      <dl className="mt-2 space-y-0.5 text-[13px]">
        {rows.map(([name, amount]) => (
          <div key={name} className="flex justify-between gap-3">
            <dt className="text-soft">{t(`accounts.cash.${name}`)}</dt>
            <dd>{amount === undefined ? "–" : formatMoney(amount, currency)}</dd>
          </div>
        ))}
        {balance.unsettledDays.map((day) => (
          <div key={day.settleDate} className="flex justify-between gap-3 text-xs">
            <dt className="text-soft">
              {t("accounts.settlesOn", { day: formatDay(day.settleDate, i18n.language) })}
            </dt>
            <dd>
              {!isZero(day.receivable) && `+${formatMoney(day.receivable, currency)} `}
              {!isZero(day.payable) && `−${formatMoney(day.payable, currency)}`}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
