import { useInfiniteQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Decimal } from "@/lib/decimal";
import { formatCash, formatDay, formatPrice, formatQuantity } from "@/lib/format";
import { MoreRows } from "@/lib/ui/more-rows";
import { LoadFailure } from "@/lib/ui/notice";
import { Empty } from "@/lib/ui/panel";
import { Cell, Row, Table } from "@/lib/ui/table";
import { lotPagesQuery } from "../api/portfolio";

/** Shares by the day on which they came, in the order in which they will be sold. */
export function Lots({ accountId }: { accountId: string }) {
  const { t, i18n } = useTranslation();
  const pages = useInfiniteQuery(lotPagesQuery(accountId));
  if (pages.isError) return <LoadFailure failure={pages.error} onRetry={() => pages.refetch()} />;
  if (pages.data === undefined) return <Empty>{t("app.loading")}</Empty>;
  const lots = pages.data.pages.flatMap((page) => page.lots);
  if (lots.length === 0) return <Empty>{t("portfolio.noLots")}</Empty>;
  return (
    <>
      <Table
        label={t("portfolio.lots")}
        columns={[
          { label: t("portfolio.symbol"), words: true },
          { label: t("portfolio.acquiredOn"), words: true },
          { label: t("portfolio.quantity") },
          { label: t("portfolio.openedQuantity"), wideOnly: true },
          { label: t("portfolio.costEach") },
          { label: t("portfolio.cost") },
        ]}
      >
        {lots.map((lot) => (
          <Row key={lot.id}>
            <Cell words>
              <strong className="font-medium">{lot.symbol}</strong>
            </Cell>
            <Cell words>{formatDay(lot.acquiredOn, i18n.language)}</Cell>
            <Cell>{formatQuantity(lot.quantity)}</Cell>
            <Cell wideOnly>{formatQuantity(lot.openedQuantity)}</Cell>
            <Cell>
              {formatPrice(new Decimal(lot.cost).dividedBy(lot.quantity).toDecimalPlaces(4), lot.currency)}
            </Cell>
            <Cell>{formatCash(lot.cost, lot.currency)}</Cell>
          </Row>
        ))}
      </Table>
      <MoreRows pages={pages} />
    </>
  );
}
