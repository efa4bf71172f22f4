import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Account } from "@/lib/api/types";
import { plainText } from "@/lib/decimal";
import { formatMoney, formatTime, MINOR_DIGITS } from "@/lib/format";
import { problemSentence, resetSentence } from "@/lib/i18n/sentences";
import { queryKeys } from "@/lib/query-keys";
import { randomUuid } from "@/lib/random";
import { Button } from "@/lib/ui/button";
import { Field } from "@/lib/ui/field";
import { LoadFailure, Notice } from "@/lib/ui/notice";
import { beginAnew, resetsQuery } from "../api/broker";
import { readAmount } from "../hooks/amount";

/** Closes the books of a play account and begins anew. What was stays in the history; nothing of it comes back. */
export function BeginAnew({ account }: { account: Account }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [opening, setOpening] = useState("");
  const [name, setName] = useState("");
  const key = useRef(randomUuid());
  const { currency } = account;
  const amount = readAmount(opening, currency);
  const wrongAmount = opening.trim() !== "" && amount === null;
  const beginning = useMutation({
    mutationFn: () =>
      beginAnew(account.id, amount === null ? null : { amount: plainText(amount), currency }, key.current),
    onSuccess: () => {
      key.current = randomUuid();
      setName("");
      setOpening("");
      void queries.invalidateQueries({ queryKey: queryKeys.resets(account.id) });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name === account.name && !wrongAmount && !beginning.isPending) beginning.mutate();
  };
  return (
    <form onSubmit={submit} className="max-w-lg space-y-3 p-3" noValidate>
      <Notice tone="warn">{t("reset.hint")}</Notice>
      <Field
        label={`${t("reset.opening")} (${currency})`}
        value={opening}
        inputMode="decimal"
        autoComplete="off"
        onChange={(event) => {
          key.current = randomUuid();
          setOpening(event.target.value);
        }}
        error={wrongAmount ? t("accounts.invalidAmount", { digits: MINOR_DIGITS[currency] }) : undefined}
      />
      <Field
        label={t("reset.typeName", { name: account.name })}
        value={name}
        autoComplete="off"
        onChange={(event) => setName(event.target.value)}
      />
      {beginning.isError && <Notice tone="bad">{problemSentence(beginning.error)}</Notice>}
      <Button
        type="submit"
        look="danger"
        disabled={name !== account.name || wrongAmount || beginning.isPending}
      >
        {t("reset.begin")}
      </Button>
      <Resets accountId={account.id} />
    </form>
  );
}

const STATES = ["WAITING", "DONE", "FAILED"] as const;

function Resets({ accountId }: { accountId: string }) {
  const { t, i18n } = useTranslation();
  const resets = useQuery(resetsQuery(accountId));
  if (resets.data === undefined && resets.isError)
    return <LoadFailure what={t("reset.before")} failure={resets.error} onRetry={() => resets.refetch()} />;
  if (resets.data === undefined || resets.data.length === 0) return null;
  return (
    <ul className="text-[13px]" data-testid="resets">
      {resets.data.map((reset) => {
        const state = STATES.find((known) => known === reset.status);
        return (
          <li key={reset.id} className="flex flex-wrap gap-x-3 border-line/60 border-t py-1">
            <span className="text-soft">{formatTime(reset.createdAt, i18n.language, true)}</span>
            <span className="font-medium">
              {state === undefined ? reset.status : t(`reset.state.${state}`)}
            </span>
            {reset.openingAmount != null && reset.openingCurrency != null && (
              <span>{formatMoney(reset.openingAmount, reset.openingCurrency)}</span>
            )}
            {reset.reason != null && <span className="text-soft">{resetSentence(reset.reason)}</span>}
          </li>
        );
      })}
    </ul>
  );
}
