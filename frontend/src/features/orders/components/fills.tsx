import { useTranslation } from "react-i18next";
import { Decimal } from "@/lib/decimal";
import { useFills } from "@/lib/fills";
import { formatCash, formatPrice, formatQuantity, formatTime } from "@/lib/format";
import { Empty } from "@/lib/ui/panel";
import { Cell, Row, Table } from "@/lib/ui/table";
import { SideWord } from "./order-cells";

/** Fills as they arrived while the page was open. */
export function Fills({ accountId }: { accountId: string }) {
  const { t, i18n } = useTranslation();
  const fills = useFills((state) => state.fills).filter((fill) => fill.accountId === accountId);
  if (fills.length === 0) return <Empty>{t("orders.noFills")}</Empty>;
  return (
    <Table
      label={t("orders.fills")}
      columns={[
        { label: t("orders.symbol"), words: true },
        { label: t("orders.side"), words: true },
        { label: t("orders.quantity") },
        { label: t("orders.price") },
        { label: t("orders.fees") },
        { label: t("orders.time") },
      ]}
    >
      {fills.map((fill) => (
        <Row key={fill.executionId}>
          <Cell words>
            <strong className="font-medium">{fill.symbol}</strong>
          </Cell>
          <Cell words>
            <SideWord side={fill.side} />
          </Cell>
          <Cell>{formatQuantity(fill.quantity)}</Cell>
          <Cell>{formatPrice(fill.price, fill.currency)}</Cell>
          <Cell>{formatCash(new Decimal(fill.commission).plus(fill.tax), fill.currency)}</Cell>
          <Cell>{formatTime(fill.occurredAt, i18n.language)}</Cell>
        </Row>
      ))}
    </Table>
  );
}
