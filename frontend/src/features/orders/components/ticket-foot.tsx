import { useTranslation } from "react-i18next";
import type { FieldProblem, OrderPreview, Side } from "@/lib/api/types";
import { formatQuantity } from "@/lib/format";
import { fieldSentence, problemSentence } from "@/lib/i18n/sentences";
import { Button } from "@/lib/ui/button";
import { Notice } from "@/lib/ui/notice";
import { outcomeUnknown } from "../hooks/use-place-order";
import { moneyOrDash } from "./estimate";

/** Fields of the ticket that take the nearest legal value. */
const NEAREST_FIELDS = ["quantity", "limitPrice", "stopPrice"] as const;
export type NearestField = (typeof NEAREST_FIELDS)[number];

interface Props {
  side: Side;
  symbol: string;
  quantity: string | null | undefined;
  estimate: OrderPreview | null;
  /** Whether the estimate belongs to what the ticket says now. */
  current: boolean;
  /** Why there is no estimate. */
  previewFailure: unknown;
  /** Why the order was not placed: then its reasons stand here, and those of the estimate do not. */
  placingFailure: unknown;
  pending: boolean;
  /** Takes a legal value in the place of a refused one. */
  onNearest: (field: NearestField, value: string) => void;
}

/** What must be seen before an order is sent, and the button that sends it: in sight however long the ticket is. */
export function TicketFoot(props: Props) {
  const { side, quantity, symbol, estimate, current, previewFailure, placingFailure, pending } = props;
  const { t } = useTranslation();
  const words = { quantity: quantity == null ? "" : formatQuantity(quantity), symbol };
  const full = t(side === "buy" ? "ticket.submitBuy" : "ticket.submitSell", words);
  const empty = t(side === "buy" ? "ticket.submitEmptyBuy" : "ticket.submitEmptySell");
  const denials = placingFailure === null ? (estimate?.denials ?? []) : [];
  return (
    <div className="space-y-2 xl:sticky xl:bottom-0 xl:-mx-3 xl:-mb-3 xl:border-line xl:border-t xl:bg-panel xl:px-3 xl:pt-2 xl:pb-3">
      {placingFailure !== null && (
        <Notice tone="bad">
          {outcomeUnknown(placingFailure) ? t("ticket.outcomeUnknown") : problemSentence(placingFailure)}
        </Notice>
      )}
      {previewFailure != null && <Notice tone="bad">{problemSentence(previewFailure)}</Notice>}
      {denials.length > 0 && <Denials denials={denials} onNearest={props.onNearest} />}
      {estimate !== null && (
        <p
          data-testid="estimate-total"
          className={`flex justify-between gap-3 font-semibold text-[13px] ${current ? "" : "opacity-60"}`}
        >
          <span>{t(estimate.side === "buy" ? "ticket.totalBuy" : "ticket.totalSell")}</span>
          <span>{moneyOrDash(estimate.total, estimate.currency)}</span>
        </p>
      )}
      <Button type="submit" look={side} size="large" className="w-full" disabled={pending}>
        {pending ? t("ticket.sending") : quantity == null ? empty : full}
      </Button>
    </div>
  );
}

interface DenialsProps {
  denials: readonly FieldProblem[];
  onNearest: (field: NearestField, value: string) => void;
}

/** What stands against the order: the first reason in full, the others behind it. */
function Denials({ denials: [first, ...others], onNearest }: DenialsProps) {
  const { t } = useTranslation();
  if (first === undefined) return null;
  return (
    <Notice tone="warn">
      <p>
        {fieldSentence(first)} <Nearest denial={first} onNearest={onNearest} />
      </p>
      {others.length > 0 && (
        <details className="mt-1">
          <summary className="text-xs">{t("ticket.moreReasons", { count: others.length })}</summary>
          <ul className="mt-1 space-y-0.5">
            {others.map((denial) => (
              <li key={`${denial.field} ${denial.rule}`}>
                {fieldSentence(denial)} <Nearest denial={denial} onNearest={onNearest} />
              </li>
            ))}
          </ul>
        </details>
      )}
    </Notice>
  );
}

interface NearestProps {
  denial: FieldProblem;
  onNearest: (field: NearestField, value: string) => void;
}

/** The legal values nearest to the refused one, to be taken with one press. */
function Nearest({ denial, onNearest }: NearestProps) {
  const field = NEAREST_FIELDS.find((known) => known === denial.field);
  if (field === undefined) return null;
  return (denial.nearest ?? []).map((value) => (
    <Button key={value} size="small" className="mr-1 !h-6" onClick={() => onNearest(field, value)}>
      {formatQuantity(value)}
    </Button>
  ));
}
