import { useTranslation } from "react-i18next";
import type { OrderPreview } from "@/lib/api/types";
import { formatMoney, formatPrice, orDash } from "@/lib/format";
import { fieldSentence, problemSentence } from "@/lib/i18n/sentences";
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
}

/** What the order would cost, and what stands against it. */
export function Estimate({ estimate, failure, current, refused, atMarket }: Props) {
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
  const rows: [string, string][] = [
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
                <li key={`${denial.field} ${denial.rule}`}>{fieldSentence(denial)}</li>
              ))}
            </ul>
          </Notice>
        </div>
      )}
    </div>
  );
}

function Line({ label, value, strong = false }: { label: string; value: string; strong?: boolean }) {
  return (
    <div className={`flex justify-between gap-3 ${strong ? "border-line border-t pt-1 font-semibold" : ""}`}>
      <dt className={strong ? "" : "text-soft"}>{label}</dt>
      <dd>{value}</dd>
    </div>
  );
}
