import { useTranslation } from "react-i18next";
import type { Currency, OrderPreview } from "@/lib/api/types";
import { formatMoney, formatPrice, formatQuantity, orDash } from "@/lib/format";

interface Props {
  estimate: OrderPreview | null;
  /** Whether the figures belong to what the ticket says now. */
  current: boolean;
  /** Whether the price is the market's best, which is not the last one traded. */
  atMarket: boolean;
  /** Whether an amount of money was typed: then the shares it pays for are a part of the estimate. */
  byMoney: boolean;
}

/** What the order's total is made of, and what it leaves; the total itself stands beside the button that sends it. */
export function Estimate({ estimate, current, atMarket, byMoney }: Props) {
  const { t } = useTranslation();
  if (estimate === null) return <p className="py-2 text-soft text-xs">{t("ticket.estimateHint")}</p>;
  const { currency } = estimate;
  const money = (amount: string | null | undefined) => moneyOrDash(amount, currency);
  const touch = estimate.side === "buy" ? "ticket.estimatedAsk" : "ticket.estimatedBid";
  const priceLabel = t(atMarket ? touch : "ticket.estimatedPrice");
  const quantity = estimate.quantity == null ? null : formatQuantity(estimate.quantity);
  const shares = quantity !== null && estimate.quantityEstimated ? t("orders.about", { quantity }) : quantity;
  const rows: [string, string][] = [
    ...(byMoney && shares !== null ? [[t("ticket.quantity"), shares] as [string, string]] : []),
    [priceLabel, orDash(estimate.estimatedPrice, (price) => formatPrice(price, currency))],
    [t("ticket.notional"), money(estimate.notional)],
    [t("ticket.commission"), money(estimate.commission)],
    [t("ticket.tax"), money(estimate.tax)],
  ];
  return (
    <div className={current ? "" : "opacity-60"} data-testid="estimate">
      <dl className="space-y-1 border-line border-t pt-2 text-[13px]">
        {rows.map(([label, value]) => (
          <Line key={label} label={label} value={value} />
        ))}
        {estimate.side === "buy" && estimate.held !== estimate.total && (
          <Line label={t("ticket.held")} value={money(estimate.held)} />
        )}
        <Line label={t("ticket.buyingPowerAfter")} value={formatMoney(estimate.buyingPowerAfter, currency)} />
      </dl>
    </div>
  );
}

/** Without a price nothing can be estimated; the reason stands among the denials. */
export function moneyOrDash(amount: string | null | undefined, currency: Currency): string {
  return orDash(amount, (known) => formatMoney(known, currency));
}

function Line({ label, value }: { label: string; value: string }) {
  return (
    <div className="flex justify-between gap-3">
      <dt className="text-soft">{label}</dt>
      <dd>{value}</dd>
    </div>
  );
}
