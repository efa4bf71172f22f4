import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Currency } from "@/lib/api/types";
import { Decimal, sum } from "@/lib/decimal";
import { formatCash, formatPrice, formatQuantity, isZero } from "@/lib/format";
import { openOrdersQuery } from "@/lib/open-orders";
import { LoadFailure } from "./notice";
import { Sum } from "./sum";

interface Props {
  accountId: string;
  currency: Currency;
  held: string;
}

/** What each open order holds of a currency. */
export default function HeldOrigin({ accountId, currency, held }: Props) {
  const { t } = useTranslation();
  const orders = useQuery(openOrdersQuery(accountId));
  if (orders.isError) return <LoadFailure failure={orders.error} onRetry={() => orders.refetch()} />;
  if (orders.data === undefined) return <p>{t("app.loading")}</p>;
  const holding = orders.data.filter(
    (order) => order.side === "buy" && order.currency === currency && !isZero(order.held),
  );
  const others = new Decimal(held).minus(sum(holding.map((order) => order.held)));
  return (
    <Sum
      terms={[
        ...holding.map((order) => {
          const price = order.limitPrice == null ? "" : ` × ${formatPrice(order.limitPrice, currency)}`;
          return {
            label: `${order.symbol} ${formatQuantity(order.leavesQuantity)}${price}`,
            amount: formatCash(order.held, currency),
          };
        }),
        ...(others.isZero()
          ? []
          : [{ label: t("origin.otherOrders"), amount: formatCash(others, currency) }]),
      ]}
      result={formatCash(held, currency)}
    />
  );
}
