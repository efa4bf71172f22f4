import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Account, Halt } from "@/lib/api/types";
import { formatTime } from "@/lib/format";
import { problemSentence } from "@/lib/i18n/sentences";
import { showToast } from "@/lib/toasts";
import { Button } from "@/lib/ui/button";
import { Confirm } from "@/lib/ui/confirm";
import { LoadFailure, Notice } from "@/lib/ui/notice";
import { Empty } from "@/lib/ui/panel";
import { haltQuery, haltTrading, liftHalt } from "../api/halt";

/** Since when and why. What the house halts for, its incidents say in the reader's language. */
function useHaltSentence(): (halt: Halt) => string {
  const { t, i18n } = useTranslation();
  return ({ by, reason, haltedAt }) => {
    const since = haltedAt == null ? "" : formatTime(haltedAt, i18n.language, true);
    const sentence = t(`broker.haltedBy.${by ?? "incident"}`, { since });
    const isTold = by === "owner" || by === "operator";
    return isTold && reason != null && reason !== "" ? `${sentence} ${reason}` : sentence;
  };
}

/** Says in every room that nothing new is placed in the account. */
export function HaltWarning({ account }: { account: Account }) {
  const halt = useQuery(haltQuery(account.id)).data;
  const sentence = useHaltSentence();
  if (halt?.halted !== true) return null;
  return (
    <p role="alert" className="bg-bad-wash px-4 py-1.5 text-center text-[13px] text-bad">
      {sentence(halt)}
    </p>
  );
}

/** The kill switch of an account: stops it, or all accounts, and lets it trade again. */
export function HaltSwitch({ account }: { account: Account }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const halt = useQuery(haltQuery(account.id));
  const sentence = useHaltSentence();
  const [asking, setAsking] = useState(false);
  const lifting = useMutation({
    mutationFn: () => liftHalt(account.id),
    onSettled: () => queries.invalidateQueries({ queryKey: haltQuery(account.id).queryKey }),
    onError: (failure) => showToast({ tone: "bad", title: problemSentence(failure) }),
  });
  if (halt.isError && halt.data === undefined)
    return <LoadFailure what={t("broker.halt")} failure={halt.error} onRetry={() => halt.refetch()} />;
  if (halt.data === undefined) return <Empty>{t("app.loading")}</Empty>;
  if (halt.data.halted)
    return (
      <Notice tone="bad">
        <p>{sentence(halt.data)}</p>
        {halt.data.by === "operator" ? (
          <p className="mt-1">{t("broker.liftByOperator")}</p>
        ) : (
          <Button size="small" className="mt-2" disabled={lifting.isPending} onClick={() => lifting.mutate()}>
            {t("broker.lift")}
          </Button>
        )}
      </Notice>
    );
  return (
    <section className="flex flex-wrap items-center justify-between gap-2">
      <p className="max-w-2xl text-soft text-xs">{t("broker.stopHint")}</p>
      <Button size="small" look="danger" onClick={() => setAsking(true)}>
        {t("broker.stop")}
      </Button>
      {asking && <Stop account={account} onClose={() => setAsking(false)} />}
    </section>
  );
}

function Stop({ account, onClose }: { account: Account; onClose: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [everywhere, setEverywhere] = useState(false);
  const [cancelOrders, setCancelOrders] = useState(true);
  const stopping = useMutation({
    mutationFn: () => haltTrading(everywhere ? null : account.id, cancelOrders),
    onSettled: () => queries.invalidateQueries({ queryKey: ["halt"] }),
    onSuccess: onClose,
  });
  return (
    <Confirm
      title={t("broker.stop")}
      action={t("broker.stopNow")}
      look="danger"
      pending={stopping.isPending}
      failure={stopping.error}
      onConfirm={() => stopping.mutate()}
      onClose={onClose}
    >
      <span className="block">{t("broker.stopConsequence", { name: account.name })}</span>
      <Choice on={cancelOrders} onChange={setCancelOrders} label={t("broker.stopCancels")} />
      <Choice on={everywhere} onChange={setEverywhere} label={t("broker.stopEverywhere")} />
    </Confirm>
  );
}

interface ChoiceProps {
  on: boolean;
  onChange: (on: boolean) => void;
  label: string;
}

function Choice({ on, onChange, label }: ChoiceProps) {
  return (
    <label className="mt-2 flex items-center gap-2">
      <input type="checkbox" checked={on} onChange={({ target }) => onChange(target.checked)} />
      {label}
    </label>
  );
}
