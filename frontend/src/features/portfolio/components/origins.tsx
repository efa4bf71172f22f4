import { useTranslation } from "react-i18next";
import type { AccountValue, Currency, Performance, Position } from "@/lib/api/types";
import { Decimal, sum } from "@/lib/decimal";
import { formatGain, formatPrice, formatQuantity, formatTime } from "@/lib/format";
import { quotes } from "@/lib/quotes/socket";
import { Sum, type SumTerm } from "@/lib/ui/sum";
import { dayTerms } from "../hooks/day-change";
import { cashTerms, gainTerms, ofClosed, originsOf, type ShareOrigin, type Term } from "../hooks/origin";

interface Props {
  value: AccountValue;
  positions: readonly Position[];
}

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

/** Shares times their price, and when that was current. */
function useTimesPrice(currency: Currency) {
  const { i18n } = useTranslation();
  return ({ symbol, quantity, price }: ShareOrigin) => {
    const quote = quotes.get(symbol);
    const age = quote === undefined ? "" : ` (${formatTime(quote.time, i18n.language)})`;
    return `${symbol} ${formatQuantity(quantity)} × ${price === null ? "–" : formatPrice(price, currency)}${age}`;
  };
}

const gainOrDash = (amount: Decimal | null, currency: Currency) =>
  amount === null ? "–" : formatGain(amount, currency);

/** The worth: the cash, and each share at its price. */
export function WorthOrigin({ value, positions }: Props) {
  const { t } = useTranslation();
  const { currency, cash } = value;
  const timesPrice = useTimesPrice(currency);
  const origins = originsOf(positions, livePrice);
  return (
    <Sum
      terms={[
        { label: t("origin.cash"), amount: formatGain(cash, currency) },
        ...origins.map((origin) => ({
          label: timesPrice(origin),
          amount: gainOrDash(origin.value, currency),
        })),
      ]}
      result={formatGain(sum([cash, ...origins.map((origin) => origin.value ?? 0)]), currency)}
    />
  );
}

/** What each share is worth, at which price. */
export function SharesOrigin({ value, positions }: Props) {
  const { currency } = value;
  const timesPrice = useTimesPrice(currency);
  const origins = originsOf(positions, livePrice);
  return (
    <Sum
      terms={origins.map((origin) => ({
        label: timesPrice(origin),
        amount: gainOrDash(origin.value, currency),
      }))}
      result={formatGain(sum(origins.map((origin) => origin.value ?? 0)), currency)}
    />
  );
}

/** What each share has gained, at which price and for which cost. */
export function UnrealisedOrigin({ value, positions }: Props) {
  const { currency } = value;
  const origins = originsOf(positions, livePrice);
  const label = ({ symbol, quantity, price, cost }: ShareOrigin) =>
    `${symbol} ${formatQuantity(quantity)} × ${price === null ? "–" : formatPrice(price, currency)} ${lessCost(cost, currency)}`;
  return (
    <Sum
      terms={origins.map((origin) => ({
        label: label(origin),
        amount: gainOrDash(origin.unrealised, currency),
      }))}
      result={formatGain(sum(origins.map((origin) => origin.unrealised ?? 0)), currency)}
    />
  );
}

/** What is taken off for a cost; shares sold short have cost less than nothing. */
function lessCost(cost: string, currency: Currency): string {
  const amount = new Decimal(cost);
  return `${amount.isNegative() ? "+" : "−"} ${formatPrice(amount.abs(), currency)}`;
}

type Booked = "realised" | "dividends" | "commission" | "tax";

const TOTALS = {
  realised: "realisedPnl",
  dividends: "dividends",
  commission: "commission",
  tax: "tax",
} as const;

/** What each share has brought or cost so far, those not held any more together. */
function useBookedTerms({ value, positions }: Props, kind: Booked): SumTerm[] {
  const { t } = useTranslation();
  const { currency } = value;
  const parts = originsOf(positions, livePrice).filter((origin) => !new Decimal(origin[kind]).isZero());
  const closed = ofClosed(
    value[TOTALS[kind]],
    parts.map((origin) => origin[kind]),
  );
  return [
    ...parts.map((origin) => ({ label: origin.symbol, amount: formatGain(origin[kind], currency) })),
    ...(closed.isZero() ? [] : [{ label: t("origin.closed"), amount: formatGain(closed, currency) }]),
  ];
}

/** What each share has brought or cost so far. */
export function BookedOrigin({ kind, ...shown }: Props & { kind: Booked }) {
  const { value } = shown;
  const terms = useBookedTerms(shown, kind);
  return <Sum terms={terms} result={formatGain(value[TOTALS[kind]], value.currency)} />;
}

/** Commissions share by share, and fees of exchanges. */
export function FeesOrigin(shown: Props) {
  const { t } = useTranslation();
  const { currency, commission, exchangeFees } = shown.value;
  const commissions = useBookedTerms(shown, "commission");
  return (
    <Sum
      terms={[
        ...commissions,
        { label: t("origin.exchangeFees"), amount: formatGain(exchangeFees, currency) },
      ]}
      result={formatGain(new Decimal(commission).plus(exchangeFees), currency)}
    />
  );
}

/** What trading has cost so far: commissions and taxes. */
export function CostsOrigin({ value }: { value: AccountValue }) {
  const { t } = useTranslation();
  const { currency, commission, tax } = value;
  return (
    <Sum
      terms={[
        { label: t("origin.commission"), amount: formatGain(commission, currency) },
        { label: t("origin.tax"), amount: formatGain(tax, currency) },
      ]}
      result={formatGain(new Decimal(commission).plus(tax), currency)}
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
        amount: gainOrDash(amount, currency),
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
