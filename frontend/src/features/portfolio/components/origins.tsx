import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { AccountValue, Currency, Performance, Position } from "@/lib/api/types";
import { Decimal, sum } from "@/lib/decimal";
import { formatGain, formatPrice, formatQuantity, formatTime } from "@/lib/format";
import { movementWord } from "@/lib/i18n/sentences";
import { MOVEMENTS_NAMED_MAX } from "@/lib/limits";
import { quotes } from "@/lib/quotes/socket";
import { LoadFailure } from "@/lib/ui/notice";
import { FLOWS, movementsQuery, WITHHOLDING } from "../api/performance";
import { dayTerms } from "../hooks/day-change";
import {
  cashTerms,
  gainTerms,
  ofClosed,
  originsOf,
  type ShareOrigin,
  type Term,
  taxParts,
} from "../hooks/origin";
import { Sum } from "./figure";

interface Props {
  value: AccountValue;
  positions: readonly Position[];
}

type MovementKinds = Parameters<typeof movementsQuery>[2];

const livePrice = (symbol: string) => quotes.get(symbol)?.price;

function Terms({ terms, currency }: { terms: readonly Term[]; currency: Currency }) {
  const { t } = useTranslation();
  return (
    <Sum
      terms={terms.map(({ name, amount }) => ({
        label: t(`origin.${name}`),
        amount: formatGain(amount, currency),
      }))}
      result={formatGain(sum(terms.map(({ amount }) => amount)), currency)}
    />
  );
}

/** The total gain: what there is, less what was paid in. */
export function GainOrigin({ value, sharesWorth }: { value: AccountValue; sharesWorth: Decimal }) {
  return <Terms terms={gainTerms(value, sharesWorth)} currency={value.currency} />;
}

/** The cash: what came in and was earned, less what was paid. */
export function CashOrigin({ value, positions }: Props) {
  return <Terms terms={cashTerms(value, positions)} currency={value.currency} />;
}

interface ShareProps extends Props {
  kind: "unrealised" | "value";
}

/** What each share is worth, or has gained, at which price and for which cost. */
export function SharesOrigin({ value, positions, kind }: ShareProps) {
  const { currency } = value;
  const { i18n } = useTranslation();
  const origins = originsOf(positions, livePrice);
  const label = ({ symbol, quantity, price, cost }: ShareOrigin) => {
    const times = `${symbol} ${formatQuantity(quantity)} × ${price === null ? "–" : formatPrice(price, currency)}`;
    return kind === "value"
      ? `${times}${ageOf(symbol, i18n.language)}`
      : `${times} ${lessCost(cost, currency)}`;
  };
  const amountOf = (origin: ShareOrigin) => (kind === "value" ? origin.value : origin.unrealised);
  return (
    <Sum
      terms={origins.map((origin) => {
        const amount = amountOf(origin);
        return { label: label(origin), amount: amount === null ? "–" : formatGain(amount, currency) };
      })}
      result={formatGain(sum(origins.map((origin) => amountOf(origin) ?? 0)), currency)}
    />
  );
}

/** What is taken off for a cost; shares sold short have cost less than nothing. */
function lessCost(cost: string, currency: Currency): string {
  const amount = new Decimal(cost);
  return `${amount.isNegative() ? "+" : "−"} ${formatPrice(amount.abs(), currency)}`;
}

/** When a price was current. */
function ageOf(symbol: string, language: string): string {
  const quote = quotes.get(symbol);
  return quote === undefined ? "" : ` (${formatTime(quote.time, language)})`;
}

interface BookedProps extends Props {
  kind: "realised" | "dividends";
}

/** What each share has brought so far, those not held any more together. */
export function BookedOrigin({ value, positions, kind }: BookedProps) {
  const { t } = useTranslation();
  const { currency } = value;
  const total = kind === "realised" ? value.realisedPnl : value.dividends;
  const parts = originsOf(positions, livePrice).filter((origin) => !new Decimal(origin[kind]).isZero());
  const closed = ofClosed(
    total,
    parts.map((origin) => origin[kind]),
  );
  return (
    <Sum
      terms={[
        ...parts.map((origin) => ({ label: origin.symbol, amount: formatGain(origin[kind], currency) })),
        ...(closed.isZero() ? [] : [{ label: t("origin.closed"), amount: formatGain(closed, currency) }]),
      ]}
      result={formatGain(total, currency)}
    />
  );
}

/** Commissions and fees of exchanges. */
export function FeesOrigin({ value }: { value: AccountValue }) {
  const { t } = useTranslation();
  const { currency, commission, exchangeFees } = value;
  return (
    <Sum
      terms={[
        { label: t("origin.commission"), amount: formatGain(commission, currency) },
        { label: t("origin.exchangeFees"), amount: formatGain(exchangeFees, currency) },
      ]}
      result={formatGain(new Decimal(commission).plus(exchangeFees), currency)}
    />
  );
}

/** Each movement that brought something in or took it out. */
export function FlowsOrigin({ value }: { value: AccountValue }) {
  return <MovementsOrigin value={value} kinds={FLOWS} />;
}

/** Each movement of some kinds. */
export function MovementsOrigin({ value, kinds }: { value: AccountValue; kinds: MovementKinds }) {
  const { i18n } = useTranslation();
  const { accountId, currency } = value;
  const movements = useQuery(movementsQuery(accountId, currency, kinds));
  if (movements.data === undefined) return <Missing query={movements} />;
  return (
    <>
      <ul className="max-h-48 space-y-0.5 overflow-y-auto">
        {movements.data.lines.map((line) => (
          <li key={line.sequence} className="flex justify-between gap-2">
            <span>
              {formatTime(line.bookedAt, i18n.language, true)} {movementWord(line.kind)}
            </span>
            <span className="whitespace-nowrap">
              {line.symbol == null || line.commodity === currency
                ? formatGain(line.amount, currency)
                : `${formatQuantity(line.amount)} ${line.symbol}`}
            </span>
          </li>
        ))}
      </ul>
      {!movements.data.complete && <CutShort />}
    </>
  );
}

/** That the movements are on their way, or why they are not there. */
function Missing({ query }: { query: { isError: boolean; error: unknown; refetch: () => unknown } }) {
  const { t } = useTranslation();
  if (!query.isError) return <p>{t("app.loading")}</p>;
  return <LoadFailure failure={query.error} onRetry={() => query.refetch()} />;
}

/** That there are older movements than those that were asked for, and where they stand. */
function CutShort() {
  const { t } = useTranslation();
  return <p className="text-warn">{t("origin.cutShort", { number: MOVEMENTS_NAMED_MAX })}</p>;
}

/** Taxes: what was kept back from dividends, and the rest, which trades have cost. */
export function TaxOrigin({ value }: { value: AccountValue }) {
  const { t } = useTranslation();
  const { accountId, currency, tax } = value;
  const withheld = useQuery(movementsQuery(accountId, currency, WITHHOLDING));
  if (withheld.data === undefined) return <Missing query={withheld} />;
  if (!withheld.data.complete) return <CutShort />;
  const { onDividends, onTrades } = taxParts(tax, withheld.data.lines);
  return (
    <Sum
      terms={[
        { label: t("origin.taxOnTrades"), amount: formatGain(onTrades, currency) },
        { label: t("origin.taxOnDividends"), amount: formatGain(onDividends, currency) },
      ]}
      result={formatGain(tax, currency)}
    />
  );
}

interface DayProps {
  positions: readonly Position[];
  currency: Currency;
}

/** The estimate of a day: each share's change since the close before, times the shares that are held. */
export function DayOrigin({ positions, currency }: DayProps) {
  const terms = dayTerms(positions, (symbol) => quotes.get(symbol)?.change);
  return (
    <Sum
      terms={terms.map(({ symbol, quantity, change, amount }) => ({
        label: `${symbol} ${formatQuantity(quantity)} × ${change === null ? "–" : formatGain(change, currency)}`,
        amount: amount === null ? "–" : formatGain(amount, currency),
      }))}
      result={formatGain(sum(terms.map(({ amount }) => amount ?? 0)), currency)}
    />
  );
}

interface SessionProps {
  value: AccountValue;
  total: Decimal;
  session: NonNullable<Performance["session"]>;
}

/** The session's result: worth of now, worth of before, and what was brought in between. */
export function SessionOrigin({ value, total, session }: SessionProps) {
  const { t, i18n } = useTranslation();
  const { currency } = value;
  const { before } = session;
  const broughtIn = new Decimal(value.netDeposits).minus(before.netDeposits);
  const at = formatTime(before.at, i18n.language, true);
  return (
    <Sum
      terms={[
        { label: t("origin.worthNow"), amount: formatGain(total, currency) },
        {
          label: t("origin.worthBefore", { at }),
          amount: formatGain(new Decimal(before.totalValue).negated(), currency),
        },
        ...(broughtIn.isZero()
          ? []
          : [{ label: t("origin.broughtIn"), amount: formatGain(broughtIn.negated(), currency) }]),
      ]}
      result={formatGain(total.minus(before.totalValue).minus(broughtIn), currency)}
    />
  );
}
