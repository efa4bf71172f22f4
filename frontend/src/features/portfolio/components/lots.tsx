import { useInfiniteQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Lot } from "@/lib/api/types";
import { formatCash, formatDay, formatPrice, formatQuantity } from "@/lib/format";
import { MoreRows } from "@/lib/ui/more-rows";
import { LoadFailure } from "@/lib/ui/notice";
import { Origin } from "@/lib/ui/origin";
import { Empty } from "@/lib/ui/panel";
import { Cell, Row, Table } from "@/lib/ui/table";
import { lotPagesQuery } from "../api/portfolio";
import LotOrigin, { costOfShare, type LotFigure } from "./lot-origin";

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
            <Cell>
              <LotCell figure="quantity" lot={lot} accountId={accountId}>
                {formatQuantity(lot.quantity)}
              </LotCell>
            </Cell>
            <Cell wideOnly>{formatQuantity(lot.openedQuantity)}</Cell>
            <Cell>
              <LotCell figure="costEach" lot={lot} accountId={accountId}>
                {formatPrice(costOfShare(lot), lot.currency)}
              </LotCell>
            </Cell>
            <Cell>
              <LotCell figure="cost" lot={lot} accountId={accountId}>
                {formatCash(lot.cost, lot.currency)}
              </LotCell>
            </Cell>
          </Row>
        ))}
      </Table>
      <MoreRows pages={pages} />
    </>
  );
}

const FIGURES = {
  quantity: ["portfolio.quantity", "origin.howLotQuantity"],
  cost: ["portfolio.cost", "origin.howLotCost"],
  costEach: ["portfolio.costEach", "origin.howCostEach"],
} as const;

interface CellProps {
  figure: LotFigure;
  lot: Lot;
  accountId: string;
  children: ReactNode;
}

/** A figure of a lot that opens to the way it came about. */
function LotCell({ figure, lot, accountId, children }: CellProps) {
  const { t } = useTranslation();
  const [name, rule] = FIGURES[figure];
  return (
    <Origin
      label={`${lot.symbol} · ${t(name)}`}
      rule={t(rule)}
      numbers={() => <LotOrigin figure={figure} lot={lot} accountId={accountId} />}
    >
      {children}
    </Origin>
  );
}
