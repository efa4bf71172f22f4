import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Order, ResolveOrder as Word } from "@/lib/api/types";
import { problemSentence } from "@/lib/i18n/sentences";
import { applyOrder, isOpen } from "@/lib/order-lists";
import { Button } from "@/lib/ui/button";
import { Field } from "@/lib/ui/field";
import { Notice } from "@/lib/ui/notice";
import { Segmented } from "@/lib/ui/segmented";
import { resolveOrder } from "../api/orders";

type Outcome = Word["outcome"];

const OUTCOMES: readonly Outcome[] = ["never_arrived", "arrived"];
/** As long as the server takes it, and nothing but printable ASCII. */
const BROKER_ORDER_ID_LENGTH_MAX = 100;
const BROKER_ORDER_ID = /^[!-~]+$/;

/** What a person says about an order of which the broker says nothing: chosen, asked about once more, and then sent. */
export function ResolveOrder({ order }: { order: Order }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [word, setWord] = useState<Word | null>(null);
  const saying = useMutation({
    mutationFn: (said: Word) => resolveOrder(order.id, said),
    onSuccess: (latest) => void applyOrder(queries, latest),
  });
  if (!order.unresolved || !isOpen(order)) return null;
  const back = () => {
    saying.reset();
    setWord(null);
  };
  return (
    <section
      aria-label={t("orders.resolve.title")}
      className="max-w-2xl space-y-2 rounded-md border border-line bg-panel p-3 text-[13px] text-text"
    >
      <p className="font-semibold">{t("orders.resolve.title")}</p>
      {saying.isSuccess ? (
        <Notice>{t("orders.resolve.said")}</Notice>
      ) : word === null ? (
        <Choice onChoose={setWord} />
      ) : (
        <>
          <p>{t(`orders.resolve.${word.outcome}Ask`, { number: word.brokerOrderId ?? "" })}</p>
          {saying.isError && <Notice tone="bad">{problemSentence(saying.error)}</Notice>}
          <div className="flex gap-2">
            <Button disabled={saying.isPending} onClick={back}>
              {t("app.back")}
            </Button>
            <Button look="primary" disabled={saying.isPending} onClick={() => saying.mutate(word)}>
              {t(saying.isPending ? "orders.resolve.saying" : "orders.resolve.say")}
            </Button>
          </div>
        </>
      )}
    </section>
  );
}

function Choice({ onChoose }: { onChoose: (word: Word) => void }) {
  const { t } = useTranslation();
  const [outcome, setOutcome] = useState<Outcome>("never_arrived");
  const [number, setNumber] = useState("");
  const [complaint, setComplaint] = useState<string>();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const brokerOrderId = number.trim();
    if (outcome === "never_arrived") onChoose({ outcome });
    else if (BROKER_ORDER_ID.test(brokerOrderId)) onChoose({ outcome, brokerOrderId });
    else setComplaint(t("orders.resolve.brokerOrderIdWrong"));
  };
  return (
    <form onSubmit={submit} noValidate className="space-y-2">
      <p className="text-soft text-xs">{t("orders.resolve.hint")}</p>
      <Segmented
        legend={t("orders.resolve.outcome")}
        value={outcome}
        onChange={setOutcome}
        options={OUTCOMES.map((value) => ({ value, label: t(`orders.resolve.${value}`) }))}
      />
      <p>{t(`orders.resolve.${outcome}Hint`)}</p>
      {outcome === "arrived" && (
        <Field
          label={t("orders.resolve.brokerOrderId")}
          value={number}
          maxLength={BROKER_ORDER_ID_LENGTH_MAX}
          autoComplete="off"
          spellCheck={false}
          error={complaint}
          onChange={(event) => {
            setNumber(event.target.value);
            setComplaint(undefined);
          }}
        />
      )}
      <Button type="submit">{t("orders.resolve.check")}</Button>
    </form>
  );
}
