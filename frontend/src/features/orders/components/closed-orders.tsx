import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Decimal } from "@/lib/decimal";
import { useEventsReady } from "@/lib/events-status";
import { formatCash, formatPrice, formatQuantity, orDash } from "@/lib/format";
import { closedOrdersQuery } from "@/lib/open-orders";
import { Moment } from "@/lib/ui/moment";
import { LoadFailure } from "@/lib/ui/notice";
import { Empty } from "@/lib/ui/panel";
import { Cell, Row, Table } from "@/lib/ui/table";
import { OrderHead, OrderKind, OrderQuantity, StateWord, useOrderColumns } from "./order-cells";

/** Orders that have ended, newest first. */
export function ClosedOrders({ accountId }: { accountId: string }) {
  const { t } = useTranslation();
  const ready = useEventsReady();
  const columns = useOrderColumns();
  const orders = useQuery({ ...closedOrdersQuery(accountId), enabled: ready });
  if (orders.isError) return <LoadFailure failure={orders.error} onRetry={() => orders.refetch()} />;
  if (orders.data === undefined) return <Empty>{t("app.loading")}</Empty>;
  if (orders.data.length === 0) return <Empty>{t("orders.noClosed")}</Empty>;
  return (
    <Table
      label={t("orders.closed")}
      columns={[
        ...columns,
        { label: t("orders.type"), words: true },
        { label: t("orders.filled") },
        { label: t("orders.averagePrice") },
        { label: t("orders.fees"), wideOnly: true },
        { label: t("orders.status"), words: true },
        { label: t("orders.time") },
      ]}
    >
      {orders.data.map((order) => (
        <Row key={order.id}>
          <OrderHead symbol={order.symbol} side={order.side} />
          <Cell words>
            <OrderKind order={order} />
          </Cell>
          <Cell>
            {formatQuantity(order.filledQuantity)}
            <span className="text-soft">
              {" / "}
              <OrderQuantity order={order} />
            </span>
          </Cell>
          <Cell>{orDash(order.averageFillPrice, (price) => formatPrice(price, order.currency))}</Cell>
          <Cell wideOnly>{formatCash(new Decimal(order.commission).plus(order.tax), order.currency)}</Cell>
          <Cell words>
            <StateWord order={order} />
          </Cell>
          <Cell>
            <Moment time={order.updatedAt} currency={order.currency} />
          </Cell>
        </Row>
      ))}
    </Table>
  );
}
