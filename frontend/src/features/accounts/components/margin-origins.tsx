import { useTranslation } from "react-i18next";
import type { AccountMargin } from "@/lib/api/types";
import { Decimal } from "@/lib/decimal";
import { formatCash, formatGain, formatPrice, formatQuantity, isZero } from "@/lib/format";
import { Formula, Sum } from "@/lib/ui/sum";

type Use = NonNullable<AccountMargin["use"]>;
type Share = Use["shares"][number];

/** A figure of what credit is used. */
export type MarginFigure = Exclude<keyof Use, "shares" | "cash" | "isPriced">;

interface Props {
  margin: AccountMargin;
}

const percent = (part: Decimal | string) => `${formatQuantity(new Decimal(part).times(100))}%`;

/** The numbers of which a figure of the use of credit is made. */
export default function MarginOrigin({ figure, margin }: Props & { figure: MarginFigure }) {
  const { use, currency } = margin;
  if (use == null) return null;
  switch (figure) {
    case "equity":
      return <EquityOrigin margin={margin} use={use} />;
    case "required":
      return <RequiredOrigin margin={margin} use={use} />;
    case "available":
      return <AvailableOrigin margin={margin} />;
    case "buyingPower":
      return <CreditOrigin margin={margin} />;
    case "requiredToStay":
      return <StayingOrigin margin={margin} use={use} />;
    case "borrowed":
      return <BorrowedOrigin margin={margin} use={use} />;
    case "longValue":
      return <Values shares={use.shares.filter(isHeld)} result={use.longValue} currency={currency} />;
    case "shortValue":
      return <Values shares={use.shares.filter(isOwed)} result={use.shortValue} currency={currency} />;
  }
}

const isHeld = ({ quantity }: Share) => new Decimal(quantity).greaterThan(0);
const isOwed = ({ quantity }: Share) => new Decimal(quantity).lessThan(0);

interface PartProps extends Props {
  use: Use;
}

const timesPrice = ({ symbol, quantity, price }: Share, currency: AccountMargin["currency"]) =>
  `${symbol} ${formatQuantity(quantity)} × ${price == null ? "–" : formatPrice(price, currency)}`;

/** Cash, and each share at the price of now. */
function EquityOrigin({ margin: { currency }, use }: PartProps) {
  const { t } = useTranslation();
  const shares = use.shares.filter(({ quantity }) => !isZero(quantity));
  return (
    <Sum
      terms={[
        { label: t("portfolio.cash"), amount: formatGain(use.cash, currency) },
        ...shares.map((share) => ({
          label: timesPrice(share, currency),
          amount: formatGain(share.value, currency),
        })),
      ]}
      result={formatGain(use.equity, currency)}
    />
  );
}

/** What each share asks for, with its open orders. */
function RequiredOrigin({ margin: { currency, rules }, use }: PartProps) {
  const { t } = useTranslation();
  const words = (share: Share) => [
    ...(isZero(share.quantity) ? [] : [timesPrice(share, currency)]),
    ...(isZero(share.buying)
      ? []
      : [
          t("origin.buying", {
            symbol: share.symbol,
            shares: formatQuantity(share.buying),
            amount: formatCash(share.buyingCost, currency),
          }),
        ]),
    ...(isZero(share.selling)
      ? []
      : [
          t("origin.selling", {
            symbol: share.symbol,
            shares: formatQuantity(share.selling),
            amount: formatCash(share.sellingWorth, currency),
          }),
        ]),
  ];
  return (
    <>
      <Sum
        terms={use.shares.map((share) => ({
          label: words(share).join("; "),
          amount: formatCash(share.required, currency),
        }))}
        result={formatCash(use.required, currency)}
      />
      <p className="text-soft">
        {t("origin.marginParts", {
          initial: percent(rules.initial),
          short: percent(new Decimal(rules.shortInitial).minus(1)),
        })}
      </p>
    </>
  );
}

/** Equity that nothing asks for. */
function AvailableOrigin({ margin: { currency, use } }: Props) {
  const { t } = useTranslation();
  if (use == null) return null;
  return (
    <Sum
      terms={[
        { label: t("margin.use.equity"), amount: formatGain(use.equity, currency) },
        {
          label: t("margin.use.required"),
          amount: formatGain(new Decimal(use.required).negated(), currency),
        },
      ]}
      result={formatGain(use.available, currency)}
    />
  );
}

/** What own money that nothing asks for can buy. */
export function CreditOrigin({ margin }: Props) {
  const { currency, rules, use } = margin;
  if (use == null) return null;
  return (
    <>
      <AvailableOrigin margin={margin} />
      <Formula>
        {formatCash(use.available, currency)} ÷ {percent(rules.initial)} ={" "}
        <strong className="font-medium">{formatCash(use.buyingPower, currency)}</strong>
      </Formula>
    </>
  );
}

/** What must stay for each share. */
function StayingOrigin({ margin: { currency, rules }, use }: PartProps) {
  const shares = use.shares.filter(({ quantity }) => !isZero(quantity));
  return (
    <Sum
      terms={shares.map((share) => ({
        label: `${timesPrice(share, currency)} × ${percent(isOwed(share) ? rules.shortMaintenance : rules.maintenance)}`,
        amount: formatCash(share.requiredToStay, currency),
      }))}
      result={formatCash(use.requiredToStay, currency)}
    />
  );
}

/** Cash below zero is owed. */
function BorrowedOrigin({ margin: { currency }, use }: PartProps) {
  const { t } = useTranslation();
  return (
    <Sum
      terms={[{ label: t("portfolio.cash"), amount: formatGain(use.cash, currency) }]}
      result={formatCash(use.borrowed, currency)}
    />
  );
}

interface ValuesProps {
  shares: readonly Share[];
  result: string;
  currency: AccountMargin["currency"];
}

/** Shares at the prices of now. */
function Values({ shares, result, currency }: ValuesProps) {
  return (
    <Sum
      terms={shares.map((share) => ({
        label: timesPrice(share, currency),
        amount: formatCash(new Decimal(share.value).abs(), currency),
      }))}
      result={formatCash(result, currency)}
    />
  );
}
