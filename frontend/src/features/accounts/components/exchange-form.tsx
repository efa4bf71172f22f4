import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Account, Currency } from "@/lib/api/types";
import { type Decimal, parseDecimal, plainText } from "@/lib/decimal";
import { formatMoney, MINOR_DIGITS } from "@/lib/format";
import { fieldRefusal, restSentence } from "@/lib/i18n/sentences";
import { showToast } from "@/lib/toasts";
import { Button } from "@/lib/ui/button";
import { Field } from "@/lib/ui/field";
import { Notice } from "@/lib/ui/notice";
import { type ExchangeWish, exchange } from "../api/money";
import { readAmount } from "../hooks/amount";
import { useMovement } from "../hooks/use-movement";
import { CurrencyChoice } from "./currency-choice";

const OTHER: Record<Currency, Currency> = { USD: "KRW", KRW: "USD" };

/** Gives money of one currency for the other, at a rate that the trader names. */
export function ExchangeForm({ account, onDone }: { account: Account; onDone: () => void }) {
  const { t } = useTranslation();
  const [from, setFrom] = useState<Currency>(account.currency);
  const [text, setText] = useState("");
  const [rateText, setRateText] = useState("");
  const [checked, setChecked] = useState(false);
  const { moving, change } = useMovement(
    (wish: ExchangeWish, key) => exchange(account.id, wish, key),
    ({ balance, toBalance }) => [balance, toBalance],
    (booked) => {
      const received = formatMoney(booked.received, booked.to);
      const fee = formatMoney(booked.fee, booked.from);
      showToast({ tone: "good", title: t("accounts.exchanged", { received, fee }) });
      onDone();
    },
  );
  const to = OTHER[from];
  const amount = readAmount(text, from);
  const rate = readRate(rateText);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setChecked(true);
    if (amount === null || rate === null || moving.isPending) return;
    moving.mutate({ from, to, amount: plainText(amount), rate: plainText(rate) });
  };
  const edit = (set: (value: string) => void) => (value: string) => {
    change();
    setChecked(false);
    set(value);
  };
  const invalidAmount =
    checked && amount === null && t("accounts.invalidAmount", { digits: MINOR_DIGITS[from] });
  const invalidRate = checked && rate === null && t("ticket.invalidPrice");
  const rest = restSentence(moving.error, ["amount", "rate"]);
  return (
    <form onSubmit={submit} className="space-y-3" noValidate>
      <CurrencyChoice
        legend={t("accounts.exchangeFrom")}
        value={from}
        onChange={edit(setFrom as (v: string) => void)}
      />
      <Field
        label={`${t("accounts.amount")} (${from})`}
        value={text}
        inputMode="decimal"
        autoComplete="off"
        onChange={(event) => edit(setText)(event.target.value)}
        error={invalidAmount || fieldRefusal(moving.error, "amount")}
      />
      <Field
        label={t("accounts.rate", { from, to })}
        value={rateText}
        inputMode="decimal"
        autoComplete="off"
        hint={t("accounts.rateHint")}
        onChange={(event) => edit(setRateText)(event.target.value)}
        error={invalidRate || fieldRefusal(moving.error, "rate")}
      />
      {amount !== null && rate !== null && (
        <p className="text-[13px]">
          {t("accounts.exchangeBrings", {
            amount: formatMoney(amount.times(rate).toDecimalPlaces(MINOR_DIGITS[to], 1), to),
          })}
        </p>
      )}
      {rest !== null && <Notice tone="bad">{rest}</Notice>}
      <Button type="submit" look="primary" className="w-full" disabled={moving.isPending}>
        {t("accounts.exchange")}
      </Button>
    </form>
  );
}

function readRate(text: string): Decimal | null {
  const rate = parseDecimal(text);
  return rate?.greaterThan(0) ? rate : null;
}
