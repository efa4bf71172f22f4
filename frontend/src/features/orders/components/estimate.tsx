import { useTranslation } from "react-i18next";
import type { FieldProblem, OrderPreview } from "@/lib/api/types";
import { formatMoney, formatPrice, formatQuantity, orDash } from "@/lib/format";
import { fieldSentence, problemSentence } from "@/lib/i18n/sentences";
import { Button } from "@/lib/ui/button";
import { Notice } from "@/lib/ui/notice";

interface Props {
  estimate: OrderPreview | null;
  failure: unknown;
  /** Whether the figures belong to what the ticket says now. */
  current: boolean;
  /** Whether the server has refused it: then its reasons stand below, and not twice. */
  refused: boolean;
  /** Whether the price is the market's best, which is not the last one traded. */
  atMarket: boolean;
  /** Whether an amount of money was typed: then the shares it pays for are a part of the estimate. */
  byMoney: boolean;
  /** Takes a legal value in the place of a refused one. */
  onNearest: (field: NearestField, value: string) => void;
}

/** Fields of the ticket that take the nearest legal value. */
const NEAREST_FIELDS = ["quantity", "limitPrice", "stopPrice"] as const;
export type NearestField = (typeof NEAREST_FIELDS)[number];

/** What the order would cost, and what stands against it. */
export function Estimate({ estimate, failure, current, refused, atMarket, byMoney, onNearest }: Props) {
  const { t } = useTranslation();
  if (failure !== null && failure !== undefined)
    return <Notice tone="bad">{problemSentence(failure)}</Notice>;
  if (estimate === null) return <p className="py-2 text-soft text-xs">{t("ticket.estimateHint")}</p>;
  const { currency } = estimate;
  // Without a price nothing can be estimated; the reason stands among the denials.
  const money = (amount: string | null | undefined) =>
    orDash(amount, (known) => formatMoney(known, currency));
  const touch = estimate.side === "buy" ? "ticket.estimatedAsk" : "ticket.estimatedBid";
  const priceLabel = t(atMarket ? touch : "ticket.estimatedPrice");
  const shares = estimate.quantity == null ? null : formatQuantity(estimate.quantity);
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
        <Line
          strong
          label={t(estimate.side === "buy" ? "ticket.totalBuy" : "ticket.totalSell")}
          value={money(estimate.total)}
        />
        {estimate.side === "buy" && estimate.held !== estimate.total && (
          <Line label={t("ticket.held")} value={money(estimate.held)} />
        )}
        <Line label={t("ticket.buyingPowerAfter")} value={formatMoney(estimate.buyingPowerAfter, currency)} />
      </dl>
      {estimate.denials.length > 0 && !refused && (
        <div className="mt-2">
          <Notice tone="warn">
            <ul className="space-y-0.5">
              {estimate.denials.map((denial) => (
                <li key={`${denial.field} ${denial.rule}`}>
                  {fieldSentence(denial)} <Nearest denial={denial} onNearest={onNearest} />
                </li>
              ))}
            </ul>
          </Notice>
        </div>
      )}
    </div>
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

function Line({ label, value, strong = false }: { label: string; value: string; strong?: boolean }) {
  return (
    <div className={`flex justify-between gap-3 ${strong ? "border-line border-t pt-1 font-semibold" : ""}`}>
      <dt className={strong ? "" : "text-soft"}>{label}</dt>
      <dd>{value}</dd>
    </div>
  );
}
