import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Account, AccountBalance, Currency } from "@/lib/api/types";
import { withBalance } from "@/lib/balances";
import { type Decimal, parseDecimal, plainText } from "@/lib/decimal";
import { formatCash, formatMoney, MINOR_DIGITS } from "@/lib/format";
import { fieldRefusal, problemSentence } from "@/lib/i18n/sentences";
import { queryKeys } from "@/lib/query-keys";
import { randomUuid } from "@/lib/random";
import { showToast } from "@/lib/toasts";
import { Button } from "@/lib/ui/button";
import { Field } from "@/lib/ui/field";
import { Notice } from "@/lib/ui/notice";
import { useNumberComplaint } from "@/lib/ui/use-number-complaint";
import { deposit } from "../api/accounts";

const PRESETS: Record<Currency, readonly string[]> = {
  USD: ["1000", "10000", "100000"],
  KRW: ["1000000", "10000000", "100000000"],
};

function readAmount(text: string, currency: Currency): Decimal | null {
  const amount = parseDecimal(text);
  if (amount === null || !amount.isPositive() || amount.isZero()) return null;
  return amount.decimalPlaces() <= MINOR_DIGITS[currency] ? amount : null;
}

interface Props {
  account: Account;
  onDone?: () => void;
}

/** Pays play money into an account; a retry after a lost answer pays once. */
export function DepositForm({ account, onDone }: Props) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const { currency } = account;
  const [text, setText] = useState("");
  const [invalid, setInvalid] = useState(false);
  const complaint = useNumberComplaint();
  const key = useRef(randomUuid());
  const change = (value: string) => {
    key.current = randomUuid();
    setInvalid(false);
    setText(value);
  };
  const paying = useMutation({
    mutationFn: (amount: string) => deposit(account.id, amount, key.current),
    onSuccess: ({ amount, balance }) => {
      const key = queryKeys.balance(account.id);
      queries.setQueryData<AccountBalance>(key, (known) => known && withBalance(known, balance));
      void queries.invalidateQueries({ queryKey: key });
      void queries.invalidateQueries({ queryKey: queryKeys.holdings(account.id) });
      showToast({ tone: "good", title: t("accounts.deposited", { amount: formatMoney(amount, currency) }) });
      change("");
      onDone?.();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const amount = readAmount(text, currency);
    setInvalid(amount === null);
    if (amount !== null && !paying.isPending) paying.mutate(plainText(amount));
  };
  const error = invalid
    ? complaint(text, t("accounts.invalidAmount", { digits: MINOR_DIGITS[currency] }))
    : fieldRefusal(paying.error, "amount");
  return (
    <form onSubmit={submit} className="space-y-3" noValidate>
      <Field
        label={`${t("accounts.amount")} (${currency})`}
        hint={t("accounts.depositInto", { name: account.name })}
        value={text}
        onChange={(event) => change(event.target.value)}
        inputMode="decimal"
        autoComplete="off"
        required
        error={error}
      />
      <div className="flex gap-1.5">
        {PRESETS[currency].map((preset) => (
          <Button
            key={preset}
            size="small"
            className="flex-1"
            onClick={() => change(formatCash(preset, currency))}
          >
            {formatMoney(preset, currency).replace(/\.00$/, "")}
          </Button>
        ))}
      </div>
      {paying.isError && error === undefined && <Notice tone="bad">{problemSentence(paying.error)}</Notice>}
      <Button type="submit" look="primary" className="w-full" disabled={paying.isPending}>
        {t("header.deposit")}
      </Button>
    </form>
  );
}
