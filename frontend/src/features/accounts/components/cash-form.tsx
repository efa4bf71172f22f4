import { type FormEvent, type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Account, Currency } from "@/lib/api/types";
import { plainText } from "@/lib/decimal";
import { MINOR_DIGITS } from "@/lib/format";
import { fieldRefusal, restSentence } from "@/lib/i18n/sentences";
import { Button } from "@/lib/ui/button";
import { Field } from "@/lib/ui/field";
import { Notice } from "@/lib/ui/notice";
import { useNumberComplaint } from "@/lib/ui/use-number-complaint";
import { readAmount } from "../hooks/amount";
import { CurrencyChoice } from "./currency-choice";

interface Movement {
  moving: {
    mutate: (wish: { amount: string; currency: Currency }) => void;
    isPending: boolean;
    error: unknown;
  };
  change: () => void;
}

interface Props {
  account: Account;
  movement: Movement;
  submitLabel: string;
  hint: (currency: Currency) => string | undefined;
  presets?: (currency: Currency, choose: (amount: string) => void) => ReactNode;
}

/** An amount of money in one of the currencies, to be moved. */
export function CashForm({ account, movement, submitLabel, hint, presets }: Props) {
  const { t } = useTranslation();
  const { moving, change } = movement;
  const [currency, setCurrency] = useState<Currency>(account.currency);
  const [text, setText] = useState("");
  const [invalid, setInvalid] = useState(false);
  const complaint = useNumberComplaint();
  const type = (value: string) => {
    change();
    setInvalid(false);
    setText(value);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const amount = readAmount(text, currency);
    setInvalid(amount === null);
    if (amount !== null && !moving.isPending) moving.mutate({ amount: plainText(amount), currency });
  };
  const error = invalid
    ? complaint(text, t("accounts.invalidAmount", { digits: MINOR_DIGITS[currency] }))
    : fieldRefusal(moving.error, "amount");
  const rest = restSentence(moving.error, ["amount"]);
  return (
    <form onSubmit={submit} className="space-y-3" noValidate>
      <Field
        label={`${t("accounts.amount")} (${currency})`}
        hint={hint(currency)}
        value={text}
        onChange={(event) => type(event.target.value)}
        inputMode="decimal"
        autoComplete="off"
        required
        error={error}
      />
      {presets !== undefined && <div className="flex gap-1.5">{presets(currency, type)}</div>}
      <CurrencyChoice
        value={currency}
        onChange={(value) => {
          change();
          setCurrency(value);
        }}
      />
      {rest !== null && <Notice tone="bad">{rest}</Notice>}
      <Button type="submit" look="primary" className="w-full" disabled={moving.isPending}>
        {submitLabel}
      </Button>
    </form>
  );
}
