import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Account, Currency } from "@/lib/api/types";
import { currencyOf } from "@/lib/currency";
import { fieldRefusal, restSentence } from "@/lib/i18n/sentences";
import { setPreferences, usePreferences } from "@/lib/preferences";
import { queryKeys } from "@/lib/query-keys";
import { showToast } from "@/lib/toasts";
import { Button } from "@/lib/ui/button";
import { Field } from "@/lib/ui/field";
import { Notice } from "@/lib/ui/notice";
import { Segmented } from "@/lib/ui/segmented";
import { openAccount } from "../api/accounts";

const ACCOUNT_NAME_LENGTH_MAX = 60;

interface Props {
  currency?: Currency;
  onOpened?: (account: Account) => void;
}

/** Opens a simulator account and makes it the chosen one. */
export function OpenAccountForm({ currency: preset, onOpened }: Props) {
  const { t, i18n } = useTranslation();
  const queries = useQueryClient();
  const [name, setName] = useState<string>(t("accounts.nameDefault"));
  const [currency, setCurrency] = useState<Currency>(preset ?? (i18n.language === "ko" ? "KRW" : "USD"));
  const opening = useMutation({
    mutationFn: () => openAccount(name.trim(), currency),
    onSuccess: (account) => {
      queries.setQueryData<Account[]>(queryKeys.accounts, (known = []) => [
        ...known.filter(({ id }) => id !== account.id),
        account,
      ]);
      const { symbol } = usePreferences.getState();
      // A share of another currency cannot be traded here: let the desk show one that can.
      const keeps = symbol === null || currencyOf(symbol) === account.currency;
      setPreferences({ accountId: account.id, ...(!keeps && { symbol: null }) });
      showToast({ tone: "good", title: t("accounts.opened", { name: account.name }) });
      onOpened?.(account);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    opening.mutate();
  };
  const rest = restSentence(opening.error, ["name"]);
  return (
    <form onSubmit={submit} className="space-y-3">
      <p className="text-[13px] text-soft">{t("accounts.openHint")}</p>
      <Field
        label={t("accounts.name")}
        value={name}
        onChange={(event) => setName(event.target.value)}
        required
        maxLength={ACCOUNT_NAME_LENGTH_MAX}
        error={fieldRefusal(opening.error, "name")}
      />
      <Segmented
        legend={t("accounts.currency")}
        value={currency}
        onChange={setCurrency}
        options={[
          { value: "USD", label: t("accounts.usd") },
          { value: "KRW", label: t("accounts.krw") },
        ]}
      />
      <p className="text-soft text-xs">{t("accounts.currencyHint")}</p>
      {rest !== null && <Notice tone="bad">{rest}</Notice>}
      <Button type="submit" look="primary" className="w-full" disabled={opening.isPending}>
        {t("accounts.open")}
      </Button>
    </form>
  );
}
