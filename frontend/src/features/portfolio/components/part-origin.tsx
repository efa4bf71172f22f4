import { useTranslation } from "react-i18next";
import type { Currency, Position } from "@/lib/api/types";
import { Decimal, sum } from "@/lib/decimal";
import { formatCash, formatPercent, formatPrice, formatQuantity } from "@/lib/format";
import { quotes } from "@/lib/quotes/socket";
import { Formula, Sum, type SumTerm } from "@/lib/ui/sum";
import type { Part } from "../hooks/allocation";
import { valueOfPosition } from "../hooks/value";

interface Props {
  part: Part;
  /** All of them, which make the whole. */
  parts: readonly Part[];
  positions: readonly Position[];
  currency: Currency;
}

/** A part of what an account has: its shares at their prices, and the whole that it is a part of. */
export default function PartOrigin({ part, parts, positions, currency }: Props) {
  const { t } = useTranslation();
  const whole = sum(parts.map(({ value }) => value));
  const shares = positions
    .filter(({ symbol }) => part.symbols.includes(symbol))
    .map((position) => ({ position, ...valueOfPosition(position, quotes.get(position.symbol)?.price) }));
  const cash = part.value.minus(sum(shares.map(({ marketValue }) => marketValue ?? 0)));
  const terms: SumTerm[] = [
    ...shares.map(({ position, price, marketValue }) => ({
      label: `${position.symbol} ${formatQuantity(position.quantity)} × ${price === null ? "–" : formatPrice(price, currency)}`,
      amount: marketValue === null ? "–" : formatCash(marketValue, currency),
    })),
    ...(cash.isZero() ? [] : [{ label: t("portfolio.cash"), amount: formatCash(cash, currency) }]),
  ];
  return (
    <>
      <Sum terms={terms} result={formatCash(part.value, currency)} />
      <Formula>
        {formatCash(part.value, currency)} ÷ {formatCash(whole, currency)} ={" "}
        <strong className="font-medium">{formatPercent(part.percent).replace(/^\+/, "")}</strong>
      </Formula>
    </>
  );
}

interface OwedProps {
  cash: string;
  positions: readonly Position[];
  currency: Currency;
  owed: Decimal;
}

/** What is owed: shares sold short at the price of now, and money borrowed. */
export function OwedOrigin({ cash, positions, currency, owed }: OwedProps) {
  const { t } = useTranslation();
  const borrowed = new Decimal(cash);
  const shares = positions
    .filter(({ quantity }) => new Decimal(quantity).isNegative())
    .map((position) => ({ position, ...valueOfPosition(position, quotes.get(position.symbol)?.price) }));
  return (
    <Sum
      terms={[
        ...shares.map(({ position, price, marketValue }) => ({
          label: `${position.symbol} ${formatQuantity(position.quantity)} × ${price === null ? "–" : formatPrice(price, currency)}`,
          amount: marketValue === null ? "–" : formatCash(marketValue.abs(), currency),
        })),
        ...(borrowed.isNegative()
          ? [{ label: t("portfolio.cash"), amount: formatCash(borrowed.abs(), currency) }]
          : []),
      ]}
      result={formatCash(owed, currency)}
    />
  );
}
