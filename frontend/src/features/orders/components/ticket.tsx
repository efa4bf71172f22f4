import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Account, Currency, Position } from "@/lib/api/types";
import { currencyOf } from "@/lib/currency";
import { plainText } from "@/lib/decimal";
import { formatQuantity, isZero } from "@/lib/format";
import { problemSentence } from "@/lib/i18n/sentences";
import { useQuote } from "@/lib/quotes/use-quote";
import { stepPrice } from "@/lib/ticks";
import { Button } from "@/lib/ui/button";
import { Notice } from "@/lib/ui/notice";
import { Panel } from "@/lib/ui/panel";
import { Segmented } from "@/lib/ui/segmented";
import { useNumberComplaint } from "@/lib/ui/use-number-complaint";
import { type Draft, EMPTY_DRAFT, orderOf, readPrice, readQuantity } from "../hooks/draft";
import { outcomeUnknown, usePlaceOrder } from "../hooks/use-place-order";
import { usePreview } from "../hooks/use-preview";
import { Estimate } from "./estimate";
import { StepInput } from "./step-input";

interface Props {
  account: Account;
  symbol: string;
  /** What the account has of the symbol, if anything. */
  position: Position | undefined;
  /** Shown where the symbol trades in another currency than the account's. */
  otherCurrency: (currency: Currency) => React.ReactNode;
}

/** Where an order is written and sent. */
export function Ticket({ account, symbol, position, otherCurrency }: Props) {
  const { t } = useTranslation();
  const currency = currencyOf(symbol);
  const matches = currency === account.currency;
  return (
    <Panel title={`${t("ticket.title")} · ${symbol}`} id="ticket">
      <div className="px-3 pb-3">
        {matches ? (
          <TicketForm key={`${account.id} ${symbol}`} account={account} symbol={symbol} position={position} />
        ) : (
          <div className="space-y-3">
            <Notice tone="warn">
              {t("ticket.otherCurrency", { symbol, currency, accountCurrency: account.currency })}
            </Notice>
            {otherCurrency(currency)}
          </div>
        )}
      </div>
    </Panel>
  );
}

function TicketForm({ account, symbol, position }: Omit<Props, "otherCurrency">) {
  const { t } = useTranslation();
  const [draft, setDraft] = useState<Draft>(EMPTY_DRAFT);
  const [checked, setChecked] = useState(false);
  const order = orderOf(draft, account, symbol);
  const preview = usePreview(order);
  const placing = usePlaceOrder();
  const complaint = useNumberComplaint();
  const change = (part: Partial<Draft>) => {
    placing.reset();
    setChecked(false);
    setDraft((known) => ({ ...known, ...part }));
  };
  const startAgain = () => {
    setChecked(false);
    setDraft((known) => ({ ...known, quantity: "" }));
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setChecked(true);
    if (order !== null) placing.place(order, startAgain);
  };
  const { side } = draft;
  return (
    <form onSubmit={submit} className="space-y-3" noValidate>
      <Segmented
        legend={t("ticket.side")}
        legendHidden
        value={side}
        onChange={(value) => change({ side: value })}
        options={[
          { value: "buy", label: t("ticket.buy"), chosenLook: "bg-up-fill text-white font-semibold" },
          { value: "sell", label: t("ticket.sell"), chosenLook: "bg-down-fill text-white font-semibold" },
        ]}
      />
      <TypeAndTime draft={draft} symbol={symbol} onChange={change} />
      <QuantityField
        draft={draft}
        position={position}
        onChange={change}
        error={
          checked && readQuantity(draft.quantity) === null
            ? complaint(draft.quantity, t("ticket.invalidQuantity"))
            : undefined
        }
      />
      {draft.type === "limit" && (
        <LimitPriceField
          draft={draft}
          currency={account.currency}
          onChange={change}
          error={
            checked && readPrice(draft.limitPrice) === null
              ? complaint(draft.limitPrice, t("ticket.invalidPrice"))
              : undefined
          }
        />
      )}
      <Estimate
        estimate={preview.estimate}
        failure={preview.failure}
        current={preview.current}
        refused={placing.failure !== null}
        atMarket={draft.type === "market"}
      />
      {placing.failure !== null && (
        <Notice tone="bad">
          {outcomeUnknown(placing.failure) ? t("ticket.outcomeUnknown") : problemSentence(placing.failure)}
        </Notice>
      )}
      <SubmitButton side={side} quantity={order?.quantity} symbol={symbol} pending={placing.isPending} />
    </form>
  );
}

interface PartProps {
  draft: Draft;
  onChange: (part: Partial<Draft>) => void;
}

function TypeAndTime({ draft, symbol, onChange }: PartProps & { symbol: string }) {
  const { t } = useTranslation();
  const quote = useQuote(symbol);
  const toLimit = () => {
    const start = draft.side === "buy" ? (quote?.ask ?? quote?.price) : (quote?.bid ?? quote?.price);
    onChange({ type: "limit", limitPrice: draft.limitPrice || (start ?? "") });
  };
  return (
    <div className="grid grid-cols-2 gap-2">
      <Segmented
        legend={t("ticket.type")}
        value={draft.type}
        onChange={(type) => (type === "limit" ? toLimit() : onChange({ type }))}
        options={[
          { value: "market", label: t("ticket.market") },
          { value: "limit", label: t("ticket.limit") },
        ]}
      />
      <div>
        <label htmlFor="time-in-force" className="mb-1 block text-soft text-xs">
          {t("ticket.timeInForce")}
        </label>
        <select
          id="time-in-force"
          value={draft.timeInForce}
          onChange={(event) => onChange({ timeInForce: event.target.value === "gtc" ? "gtc" : "day" })}
          className="h-[38px] w-full rounded-md border border-line bg-panel px-2"
        >
          <option value="day">{t("ticket.day")}</option>
          <option value="gtc">{t("ticket.gtc")}</option>
        </select>
      </div>
    </div>
  );
}

function QuantityField({
  draft,
  position,
  onChange,
  error,
}: PartProps & { position: Position | undefined; error: string | undefined }) {
  const { t } = useTranslation();
  const step = (direction: 1 | -1) => {
    const next = (readQuantity(draft.quantity)?.toNumber() ?? 0) + direction;
    onChange({ quantity: next > 0 ? String(next) : "" });
  };
  const available = position?.available;
  const canSellAll = draft.side === "sell" && available !== undefined && !isZero(available);
  return (
    <div>
      <StepInput
        label={t("ticket.quantity")}
        inputMode="numeric"
        value={draft.quantity}
        onChange={(quantity) => onChange({ quantity })}
        onStep={step}
        error={error}
      />
      {canSellAll && (
        <Button size="small" look="quiet" className="mt-1" onClick={() => onChange({ quantity: available })}>
          {t("ticket.allShares", { quantity: formatQuantity(available) })}
        </Button>
      )}
    </div>
  );
}

function LimitPriceField({
  draft,
  currency,
  onChange,
  error,
}: PartProps & { currency: Currency; error: string | undefined }) {
  const { t } = useTranslation();
  const step = (direction: 1 | -1) => {
    const price = readPrice(draft.limitPrice);
    if (price !== null) onChange({ limitPrice: plainText(stepPrice(price, currency, direction)) });
  };
  return (
    <StepInput
      label={`${t("ticket.limitPrice")} (${currency})`}
      inputMode="decimal"
      value={draft.limitPrice}
      onChange={(limitPrice) => onChange({ limitPrice })}
      onStep={step}
      error={error}
    />
  );
}

interface SubmitProps {
  side: "buy" | "sell";
  quantity: string | null | undefined;
  symbol: string;
  pending: boolean;
}

function SubmitButton({ side, quantity, symbol, pending }: SubmitProps) {
  const { t } = useTranslation();
  const words = { quantity: quantity == null ? "" : formatQuantity(quantity), symbol };
  const full = t(side === "buy" ? "ticket.submitBuy" : "ticket.submitSell", words);
  const empty = t(side === "buy" ? "ticket.submitEmptyBuy" : "ticket.submitEmptySell");
  return (
    <Button type="submit" look={side} size="large" className="w-full" disabled={pending}>
      {pending ? t("ticket.sending") : quantity == null ? empty : full}
    </Button>
  );
}
