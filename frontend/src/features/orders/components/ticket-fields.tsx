import { useTranslation } from "react-i18next";
import type { Capabilities, Currency, OrderType, Position, TimeInForce } from "@/lib/api/types";
import { Decimal, plainText } from "@/lib/decimal";
import { formatQuantity, isZero } from "@/lib/format";
import { usePriceGrid } from "@/lib/price-grid";
import { quotes } from "@/lib/quotes/socket";
import { stepPrice } from "@/lib/ticks";
import { Button } from "@/lib/ui/button";
import { Field, Select } from "@/lib/ui/field";
import { OptionalFields } from "@/lib/ui/optional-fields";
import { Segmented } from "@/lib/ui/segmented";
import {
  type Draft,
  type DraftField,
  hasLimit,
  hasStop,
  offered,
  readPrice,
  readQuantity,
  timesInForce,
} from "../hooks/draft";
import { StepInput } from "./step-input";

export interface FieldsProps {
  draft: Draft;
  symbol: string;
  currency: Currency;
  onChange: (part: Partial<Draft>) => void;
  /** What is wrong with a field, once it was tried to send it. */
  errorOf: (field: DraftField) => string | undefined;
}

const TYPES: readonly OrderType[] = ["market", "limit", "stop", "stop_limit", "trailing_stop"];

/** The price a new price field begins with: what the order would meet now. */
function marketPrice(symbol: string, side: Draft["side"]): string {
  const quote = quotes.get(symbol);
  return (side === "buy" ? quote?.ask : quote?.bid) ?? quote?.price ?? "";
}

export interface TypeProps extends FieldsProps {
  /** What the broker takes; what it refuses is not offered. Undefined while it is not known. */
  capabilities: Capabilities | undefined;
}

/** Which type of order, and how long it stays. */
export function TypeAndTime({ draft, symbol, capabilities, onChange, errorOf }: TypeProps) {
  const { t } = useTranslation();
  const choose = (type: OrderType) => {
    const start = marketPrice(symbol, draft.side);
    onChange({
      type,
      ...(hasLimit(type) && { limitPrice: draft.limitPrice || start }),
      ...(hasStop(type) && { stopPrice: draft.stopPrice || start }),
    });
  };
  return (
    <>
      <div className="grid grid-cols-2 gap-2">
        <Select
          label={t("ticket.type")}
          value={draft.type}
          onChange={(event) => choose(event.target.value as OrderType)}
        >
          {offered(TYPES, capabilities?.orderTypes, draft.type).map((type) => (
            <option key={type} value={type}>
              {t(`ticket.types.${type}`)}
            </option>
          ))}
        </Select>
        <Select
          label={t("ticket.timeInForce")}
          value={draft.timeInForce}
          onChange={(event) => onChange({ timeInForce: event.target.value as TimeInForce })}
        >
          {offered(timesInForce(draft), capabilities?.timesInForce, draft.timeInForce).map((time) => (
            <option key={time} value={time}>
              {t(`ticket.times.${time}`)}
            </option>
          ))}
        </Select>
      </div>
      {draft.timeInForce === "gtd" && (
        <Field
          label={t("ticket.expireDate")}
          type="date"
          value={draft.expireDate}
          onChange={(event) => onChange({ expireDate: event.target.value })}
          error={errorOf("expireDate")}
        />
      )}
    </>
  );
}

interface PriceProps extends FieldsProps {
  field: "limitPrice" | "stopPrice" | "takeProfit" | "stopLoss" | "thenPrice";
}

/** A price that moves by the tick of the share or fund. */
export function PriceField({ field, draft, symbol, currency, onChange, errorOf }: PriceProps) {
  const { t } = useTranslation();
  const grid = usePriceGrid(symbol);
  const step = (direction: 1 | -1) => {
    const price = readPrice(draft[field]) ?? readPrice(marketPrice(symbol, draft.side));
    if (price !== null && grid !== null) onChange({ [field]: plainText(stepPrice(price, grid, direction)) });
  };
  return (
    <StepInput
      label={`${t(`ticket.${field}`)} (${currency})`}
      inputMode="decimal"
      value={draft[field]}
      onChange={(text) => onChange({ [field]: text })}
      onStep={step}
      error={errorOf(field)}
    />
  );
}

/** The prices that the chosen type has. */
export function PriceFields(props: FieldsProps) {
  const { t } = useTranslation();
  const { draft, currency, onChange, errorOf } = props;
  return (
    <>
      {hasStop(draft.type) && <PriceField field="stopPrice" {...props} />}
      {hasLimit(draft.type) && <PriceField field="limitPrice" {...props} />}
      {draft.type === "trailing_stop" && (
        <div className="grid grid-cols-[1fr_auto] items-start gap-2">
          <Field
            label={t("ticket.trail")}
            inputMode="decimal"
            autoComplete="off"
            value={draft.trail}
            onChange={(event) => onChange({ trail: event.target.value })}
            hint={t("ticket.trailHint")}
            error={errorOf("trail")}
          />
          <Segmented
            legend={t("ticket.trailIn")}
            value={draft.trailIn}
            onChange={(trailIn) => onChange({ trailIn })}
            options={[
              { value: "percent", label: "%" },
              { value: "amount", label: currency },
            ]}
          />
        </div>
      )}
    </>
  );
}

/** Take profit and stop loss: with a purchase, or for shares that are held. */
export function ExitFields({
  capabilities,
  ...props
}: FieldsProps & { capabilities: Capabilities | undefined }) {
  const { t } = useTranslation();
  const { draft, onChange } = props;
  const isOneOrder = draft.side === "buy" && capabilities?.nativeGroups?.includes("bracket");
  return (
    <OptionalFields
      label={t(draft.side === "buy" ? "ticket.exitsBuy" : "ticket.exitsSell")}
      wanted={draft.exits}
      onChange={(exits) => onChange({ exits })}
    >
      <p className="text-soft text-xs">
        {t(draft.side === "buy" ? "ticket.exitsBuyHint" : "ticket.exitsSellHint")}
        {isOneOrder && ` ${t("ticket.exitsLastHint")}`}
      </p>
      <PriceField field="takeProfit" {...props} />
      <PriceField field="stopLoss" {...props} />
    </OptionalFields>
  );
}

const PERCENTS = [10, 25, 50, 100] as const;

interface SizeProps extends FieldsProps {
  position: Position | undefined;
  buyingPower: Decimal | null;
  moneyAllowed: boolean;
  onFit: (target: Decimal) => void;
  isFitting: boolean;
  quantityRef: React.Ref<HTMLInputElement>;
}

/** How much: shares, or an amount of money, or a part of what there is. */
export function SizeFields(props: SizeProps) {
  const { t } = useTranslation();
  const { draft, currency, position, buyingPower, moneyAllowed, onChange, onFit, isFitting, errorOf } = props;
  const step = (direction: 1 | -1) => {
    const next = (readQuantity(draft.quantity, true) ?? new Decimal(0)).plus(direction);
    onChange({ quantity: next.greaterThan(0) ? plainText(next) : "" });
  };
  const nothingFree =
    position === undefined || isZero(position.available) || position.available.startsWith("-");
  const held = nothingFree ? null : position.available;
  const byMoney = draft.sizing === "money";
  return (
    <div className="space-y-2">
      {moneyAllowed && (
        <Segmented
          legend={t("ticket.sizing")}
          legendHidden
          size="small"
          value={draft.sizing}
          onChange={(sizing) => onChange({ sizing })}
          options={[
            { value: "shares", label: t("ticket.byShares") },
            { value: "money", label: t("ticket.byMoney") },
          ]}
        />
      )}
      {byMoney ? (
        <Field
          label={`${t("ticket.money")} (${currency})`}
          inputMode="decimal"
          autoComplete="off"
          value={draft.money}
          onChange={(event) => onChange({ money: event.target.value })}
          error={errorOf("money")}
          inputRef={props.quantityRef}
        />
      ) : (
        <StepInput
          label={t("ticket.quantity")}
          inputMode="decimal"
          value={draft.quantity}
          onChange={(quantity) => onChange({ quantity })}
          onStep={step}
          error={errorOf("quantity")}
          inputRef={props.quantityRef}
        />
      )}
      {draft.side === "buy" && buyingPower?.greaterThan(0) && !byMoney && (
        <Parts
          label={t("ticket.partOfBuyingPower")}
          disabled={isFitting}
          onChoose={(percent) => onFit(buyingPower.times(percent).dividedBy(100))}
        />
      )}
      {draft.side === "sell" && held !== null && !byMoney && (
        <Parts
          label={t("ticket.partOfShares", { quantity: formatQuantity(held) })}
          disabled={false}
          onChoose={(percent) => onChange({ quantity: partOf(held, percent) })}
        />
      )}
    </div>
  );
}

/** A part of the shares that are held, in whole shares; all of them are all of them. */
function partOf(held: string, percent: number): string {
  const part = readQuantity(held, true);
  if (part === null) return "";
  return percent === 100
    ? plainText(part)
    : plainText(part.times(percent).dividedBy(100).toDecimalPlaces(0, 1));
}

interface PartsProps {
  label: string;
  disabled: boolean;
  onChoose: (percent: number) => void;
}

function Parts({ label, disabled, onChoose }: PartsProps) {
  return (
    <fieldset className="flex items-center gap-1">
      <legend className="sr-only">{label}</legend>
      <span aria-hidden="true" className="min-w-0 flex-1 truncate text-soft text-xs">
        {label}
      </span>
      {PERCENTS.map((percent) => (
        <Button
          key={percent}
          size="small"
          className="!px-1.5"
          aria-label={`${percent}%: ${label}`}
          disabled={disabled}
          onClick={() => onChoose(percent)}
        >
          {percent}%
        </Button>
      ))}
    </fieldset>
  );
}
