import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Order } from "@/lib/api/types";
import { plainText } from "@/lib/decimal";
import { fieldRefusal, restSentence } from "@/lib/i18n/sentences";
import { applyOrder } from "@/lib/order-lists";
import { usePriceGrid } from "@/lib/price-grid";
import { randomUuid } from "@/lib/random";
import { stepPrice } from "@/lib/ticks";
import { showToast } from "@/lib/toasts";
import { Button } from "@/lib/ui/button";
import { Notice } from "@/lib/ui/notice";
import { replaceOrder } from "../api/orders";
import { readPrice } from "../hooks/draft";
import { changedTerms, type TermField, type Terms } from "../hooks/terms";
import { StepInput } from "./step-input";

interface Props {
  order: Order;
  /** What may be different, as it is. */
  before: Terms;
  onDone: () => void;
}

/** Other terms for an open order: what is left as it stands is not asked for. */
export function ReplaceForm({ order, before, onDone }: Props) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [terms, setTerms] = useState(before);
  const key = useRef(randomUuid());
  const grid = usePriceGrid(order.symbol);
  const replacing = useMutation({
    mutationFn: () => replaceOrder(order.id, changedTerms(before, terms) ?? {}, key.current),
    onSuccess: (latest) => {
      applyOrder(queries, latest);
      showToast({ tone: "plain", title: t("orders.replaceSent") });
      onDone();
    },
  });
  const change = (field: TermField, text: string) => {
    key.current = randomUuid();
    replacing.reset();
    setTerms((known) => ({ ...known, [field]: text }));
  };
  const step = (field: TermField, direction: 1 | -1) => {
    const value = readPrice(terms[field] ?? "");
    if (value === null) return;
    const isPrice = field !== "quantity" && field !== "trailPercent";
    const next = isPrice ? grid && stepPrice(value, grid, direction) : value.plus(direction);
    if (next?.greaterThan(0)) change(field, plainText(next));
  };
  const fields = Object.keys(before) as TermField[];
  const wanted = changedTerms(before, terms);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (wanted !== null && Object.keys(wanted).length > 0 && !replacing.isPending) replacing.mutate();
  };
  const rest = restSentence(replacing.error, fields);
  return (
    <form onSubmit={submit} className="space-y-3 rounded-md border border-line p-3" noValidate>
      <div className="grid gap-3 sm:grid-cols-2">
        {fields.map((field) => (
          <StepInput
            key={field}
            label={t(`orders.terms.${field}`)}
            inputMode="decimal"
            value={terms[field] ?? ""}
            onChange={(text) => change(field, text)}
            onStep={(direction) => step(field, direction)}
            error={
              readPrice(terms[field] ?? "") === null
                ? t("ticket.invalidPrice")
                : fieldRefusal(replacing.error, field)
            }
          />
        ))}
      </div>
      <p className="text-soft text-xs">{t("orders.replaceHint")}</p>
      {rest !== null && <Notice tone="bad">{rest}</Notice>}
      <div className="flex gap-2">
        <Button onClick={onDone}>{t("app.back")}</Button>
        <Button
          type="submit"
          look="primary"
          disabled={wanted === null || Object.keys(wanted).length === 0 || replacing.isPending}
        >
          {t("orders.replaceSend")}
        </Button>
      </div>
    </form>
  );
}
