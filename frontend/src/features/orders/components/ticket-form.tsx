import { type FormEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Account, Side } from "@/lib/api/types";
import { useCapabilities } from "@/lib/capabilities";
import { usePreferences } from "@/lib/preferences";
import { useShortcuts } from "@/lib/shortcuts";
import { type TicketWish, useTicketWish } from "@/lib/ticket-wish";
import { Segmented } from "@/lib/ui/segmented";
import { useNumberComplaint } from "@/lib/ui/use-number-complaint";
import {
  allowsMoney,
  changed,
  type Draft,
  type DraftField,
  EMPTY_DRAFT,
  furtherOrders,
  isExitsOnly,
  missingFields,
  type Wish,
  wishOf,
  workable,
} from "../hooks/draft";
import { useFittingShares } from "../hooks/use-fitting-shares";
import { useIsStale } from "../hooks/use-is-stale";
import { usePlaceOrder } from "../hooks/use-place-order";
import { usePreview } from "../hooks/use-preview";
import { ConsequenceCard } from "./consequence-card";
import { Estimate } from "./estimate";
import { ThenFields } from "./then-fields";
import type { AccountState } from "./ticket";
import { ExitFields, PriceFields, SizeFields, TypeAndTime } from "./ticket-fields";
import { TicketFoot } from "./ticket-foot";

interface Props {
  account: Account;
  symbol: string;
  state: AccountState;
}

export function TicketForm({ account, symbol, state }: Props) {
  const { currency } = account;
  const [typed, setDraft] = useState<Draft>(EMPTY_DRAFT);
  const [checked, setChecked] = useState(false);
  const [asking, setAsking] = useState<Wish | null>(null);
  const quantityInput = useRef<HTMLInputElement>(null);
  const confirms = usePreferences((preferences) => preferences.confirmOrders);
  const stale = useIsStale();
  const capabilities = useCapabilities(account.id);
  const draft = workable(typed, capabilities);
  const further = furtherOrders(draft.side, capabilities);
  const wish = wishOf(draft, account, symbol);
  const preview = usePreview(wish?.order ?? null);
  const placing = usePlaceOrder();
  const fitting = useFittingShares(account, symbol, draft);
  const change = (part: Partial<Draft>) => {
    placing.reset();
    setChecked(false);
    setDraft((known) => changed(known, part, currency));
  };
  const begin = (side: Side) => {
    change({ side });
    quantityInput.current?.focus();
    quantityInput.current?.select();
  };
  useShortcuts({ b: () => begin("buy"), s: () => begin("sell") });
  useAskedTerms(symbol, (asked) => change(partOf(asked, draft)));
  const send = (sent: Wish) => {
    setAsking(null);
    placing.place(sent, () => {
      setChecked(false);
      setDraft((known) => ({ ...known, quantity: "", money: "" }));
    });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setChecked(true);
    if (wish === null || placing.isPending) return;
    if (confirms || stale) setAsking(wish);
    else send(wish);
  };
  const errorOf = useFieldErrors(draft, checked, currency);
  const fields = { draft, symbol, currency, onChange: change, errorOf };
  return (
    <>
      <form onSubmit={submit} className="space-y-3" noValidate>
        <SideChoice side={draft.side} onChange={(side) => change({ side })} />
        {!isExitsOnly(draft) && <TypeAndTime {...fields} capabilities={capabilities} />}
        <SizeFields
          {...fields}
          position={state.position}
          buyingPower={state.buyingPower}
          moneyAllowed={allowsMoney(draft, currency) && capabilities?.fractions !== false}
          onFit={(target) => fitting.find(target, { onSuccess: (quantity) => change({ quantity }) })}
          isFitting={fitting.isFinding}
          quantityRef={quantityInput}
        />
        {!isExitsOnly(draft) && <PriceFields {...fields} />}
        {further.exits && (draft.side === "buy" || state.position !== undefined) && (
          <ExitFields {...fields} capabilities={capabilities} />
        )}
        {further.follows && !isExitsOnly(draft) && <ThenFields {...fields} capabilities={capabilities} />}
        <Estimate
          estimate={preview.estimate}
          current={preview.current}
          atMarket={wish?.order.type === "market"}
          byMoney={draft.sizing === "money"}
        />
        <TicketFoot
          side={draft.side}
          symbol={symbol}
          quantity={wish?.order.quantity}
          estimate={preview.estimate}
          current={preview.current}
          previewFailure={preview.failure}
          placingFailure={placing.failure}
          pending={placing.isPending}
          onNearest={(field, value) => change({ [field]: value })}
        />
      </form>
      {asking !== null && (
        <ConsequenceCard
          wish={asking}
          account={account}
          state={state}
          stale={stale}
          onSend={() => send(asking)}
          onClose={() => setAsking(null)}
        />
      )}
    </>
  );
}

/** What a wish from another part of the page changes in the draft. */
function partOf({ price, side, quantity }: TicketWish, { type }: Draft): Partial<Draft> {
  return {
    ...(price !== undefined && {
      type: type === "stop_limit" ? ("stop_limit" as const) : ("limit" as const),
      limitPrice: price,
    }),
    ...(side !== undefined && { side }),
    ...(quantity !== undefined && { sizing: "shares" as const, quantity }),
  };
}

/** Takes what another part of the page asks the ticket of this symbol for, once. */
function useAskedTerms(symbol: string, take: (wish: TicketWish) => void): void {
  const wish = useTicketWish((state) => state.wish);
  const latest = useRef(take);
  latest.current = take;
  useEffect(() => {
    if (wish === null || wish.symbol !== symbol) return;
    useTicketWish.setState({ wish: null });
    latest.current(wish);
  }, [wish, symbol]);
}

/** The complaint of each field that is missing or cannot be read, once it was tried to send the draft. */
function useFieldErrors(draft: Draft, checked: boolean, currency: Account["currency"]) {
  const { t } = useTranslation();
  const complaint = useNumberComplaint();
  const missing = checked ? missingFields(draft, currency) : [];
  return (field: DraftField): string | undefined => {
    if (!missing.includes(field)) return undefined;
    if (field === "expireDate") return t("ticket.invalidDate");
    if (field === "quantity") return complaint(draft.quantity, t("ticket.invalidQuantity"));
    if (field === "money") return complaint(draft.money, t("ticket.invalidMoney"));
    return complaint(draft[field], t("ticket.invalidPrice"));
  };
}

function SideChoice({ side, onChange }: { side: Side; onChange: (side: Side) => void }) {
  const { t } = useTranslation();
  return (
    <Segmented
      legend={t("ticket.side")}
      legendHidden
      value={side}
      onChange={onChange}
      options={[
        { value: "buy", label: t("ticket.buy"), chosenLook: "bg-up-fill text-white font-semibold" },
        { value: "sell", label: t("ticket.sell"), chosenLook: "bg-down-fill text-white font-semibold" },
      ]}
    />
  );
}
