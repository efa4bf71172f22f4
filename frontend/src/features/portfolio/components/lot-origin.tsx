import { useInfiniteQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Lot } from "@/lib/api/types";
import { Decimal, sum } from "@/lib/decimal";
import { formatCash, formatDay, formatGain, formatPrice, formatQuantity, isZero } from "@/lib/format";
import { MoreRows } from "@/lib/ui/more-rows";
import { Formula, Sum } from "@/lib/ui/sum";
import { lotSalesQuery } from "../api/origins";
import { Missing } from "./movements-origin";

/** A figure of a lot. */
export type LotFigure = "quantity" | "cost" | "costEach";

/** What one share of a lot has cost, to the digits that a price may have. */
export const costOfShare = ({ cost, quantity }: Pick<Lot, "cost" | "quantity">) =>
  new Decimal(cost).dividedBy(quantity).toDecimalPlaces(4);

interface Props {
  lot: Lot;
  accountId: string;
}

/** The numbers of which a figure of a lot is made. */
export default function LotOrigin({ figure, lot, accountId }: Props & { figure: LotFigure }) {
  if (figure === "costEach") {
    return (
      <Formula>
        {formatCash(lot.cost, lot.currency)} ÷ {formatQuantity(lot.quantity)} ={" "}
        <strong className="font-medium">{formatPrice(costOfShare(lot), lot.currency)}</strong>
      </Formula>
    );
  }
  return <Left lot={lot} accountId={accountId} of={figure} />;
}

/** What came with the lot, less what sales have taken from it. */
function Left({ lot, accountId, of }: Props & { of: "quantity" | "cost" }) {
  const { t, i18n } = useTranslation();
  const pages = useInfiniteQuery(lotSalesQuery(accountId, lot.id));
  if (pages.data === undefined) return <Missing query={pages} />;
  const sales = pages.data.pages.flatMap((page) => page.sales);
  const opened = of === "quantity" ? lot.openedQuantity : lot.openedCost;
  const adjusted = of === "quantity" ? lot.adjustedQuantity : "0";
  const taken = sum(sales.map((sale) => sale[of]));
  const earlier = new Decimal(lot[of]).minus(opened).minus(adjusted).plus(taken);
  const format = (amount: string | Decimal) =>
    of === "quantity" ? formatQuantity(amount) : formatGain(amount, lot.currency);
  return (
    <>
      <Sum
        terms={[
          {
            label: `${formatDay(lot.acquiredOn, i18n.language)} ${t("origin.came")}`,
            amount: format(opened),
          },
          ...(isZero(adjusted) ? [] : [{ label: t("origin.bySplits"), amount: format(adjusted) }]),
          ...sales.map((sale) => ({
            label: `${formatDay(sale.soldOn, i18n.language)} ${t("origin.soldOf", { shares: formatQuantity(sale.quantity) })}`,
            amount: format(new Decimal(sale[of]).negated()),
          })),
          ...(earlier.isZero() ? [] : [{ label: t("origin.earlier"), amount: format(earlier) }]),
        ]}
        result={of === "quantity" ? formatQuantity(lot.quantity) : formatCash(lot.cost, lot.currency)}
      />
      <MoreRows pages={pages} />
    </>
  );
}
