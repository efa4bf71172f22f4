import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Decimal } from "@/lib/decimal";
import { useEventsReady } from "@/lib/events-status";
import { mergeFills, useFills } from "@/lib/fills";
import { formatCash, formatPrice, formatQuantity } from "@/lib/format";
import { Moment } from "@/lib/ui/moment";
import { LoadFailure } from "@/lib/ui/notice";
import { Empty } from "@/lib/ui/panel";
import { Cell, Row, Table } from "@/lib/ui/table";
import { pastFillsQuery } from "../api/orders";
import { OrderHead, useOrderColumns } from "./order-cells";

/** The account's latest fills, those of before this visit too. */
export function Fills({ accountId }: { accountId: string }) {
  const { t } = useTranslation();
  const ready = useEventsReady();
  const columns = useOrderColumns();
  const past = useQuery({ ...pastFillsQuery(accountId), enabled: ready });
  const heard = useFills((state) => state.fills).filter((fill) => fill.accountId === accountId);
  const fills = mergeFills(heard, past.data ?? []);
  if (past.isError && heard.length === 0)
    return <LoadFailure failure={past.error} onRetry={() => past.refetch()} />;
  if (past.isPending && heard.length === 0) return <Empty>{t("app.loading")}</Empty>;
  if (fills.length === 0) return <Empty>{t("orders.noFills")}</Empty>;
  return (
    <Table
      label={t("orders.fills")}
      columns={[
        ...columns,
        { label: t("orders.quantity") },
        { label: t("orders.price") },
        { label: t("orders.fees") },
        { label: t("orders.time") },
      ]}
    >
      {fills.map((fill) => (
        <Row key={fill.executionId}>
          <OrderHead symbol={fill.symbol} side={fill.side} />
          <Cell>{formatQuantity(fill.quantity)}</Cell>
          <Cell>{formatPrice(fill.price, fill.currency)}</Cell>
          <Cell>{formatCash(new Decimal(fill.commission).plus(fill.tax), fill.currency)}</Cell>
          <Cell>
            <Moment time={fill.occurredAt} currency={fill.currency} />
          </Cell>
        </Row>
      ))}
    </Table>
  );
}
