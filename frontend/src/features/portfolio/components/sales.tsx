import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Sale } from "@/lib/api/types";
import { Decimal } from "@/lib/decimal";
import { formatCash, formatDay, formatQuantity } from "@/lib/format";
import { Dialog } from "@/lib/ui/dialog";
import { Gain } from "@/lib/ui/gain";
import { MoreRows } from "@/lib/ui/more-rows";
import { LoadFailure } from "@/lib/ui/notice";
import { Origin } from "@/lib/ui/origin";
import { Empty } from "@/lib/ui/panel";
import { Cell, Row, Table } from "@/lib/ui/table";
import { salePagesQuery } from "../api/portfolio";

/** What was sold, what it brought, and from which lots it came. */
export function Sales({ accountId }: { accountId: string }) {
  const { t, i18n } = useTranslation();
  const [opened, setOpened] = useState<Sale | null>(null);
  const pages = useInfiniteQuery(salePagesQuery(accountId));
  if (pages.isError) return <LoadFailure failure={pages.error} onRetry={() => pages.refetch()} />;
  if (pages.data === undefined) return <Empty>{t("app.loading")}</Empty>;
  const sales = pages.data.pages.flatMap((page) => page.sales);
  if (sales.length === 0) return <Empty>{t("portfolio.noSales")}</Empty>;
  return (
    <>
      <Table
        label={t("portfolio.sales")}
        columns={[
          { label: t("portfolio.symbol"), words: true },
          { label: t("portfolio.soldOn"), words: true },
          { label: t("portfolio.quantity") },
          { label: t("portfolio.proceeds") },
          { label: t("portfolio.realised") },
        ]}
      >
        {sales.map((sale) => (
          <Row key={`${sale.journalId} ${sale.symbol}`}>
            <Cell words>
              <button type="button" className="font-medium hover:underline" onClick={() => setOpened(sale)}>
                {sale.symbol}
              </button>
            </Cell>
            <Cell words>{formatDay(sale.soldOn, i18n.language)}</Cell>
            <Cell>{formatQuantity(sale.quantity)}</Cell>
            <Cell>{formatCash(sale.proceeds, sale.currency)}</Cell>
            <Cell>
              <Origin
                label={`${sale.symbol} · ${t("portfolio.realised")}`}
                rule={t("portfolio.beforeFees")}
                numbers={() => <SaleMethods sale={sale} />}
              >
                <Gain amount={sale.realisedPnl} currency={sale.currency} />
              </Origin>
            </Cell>
          </Row>
        ))}
      </Table>
      <MoreRows pages={pages} />
      {opened !== null && <SaleOrigin sale={opened} onClose={() => setOpened(null)} />}
    </>
  );
}

/** What either method makes of a sale. */
function SaleMethods({ sale }: { sale: Sale }) {
  const { t } = useTranslation();
  const { currency } = sale;
  const methods = [
    ["average", sale.byAverage],
    ["fifo", sale.byFifo],
  ] as const;
  return (
    <ul className="space-y-1">
      {methods.map(([method, figures]) => (
        <li key={method} className="flex flex-wrap justify-between gap-x-4">
          <span className={method === sale.costMethod ? "font-semibold" : "text-soft"}>
            {t(`portfolio.method.${method}`)}
          </span>
          <span>
            {formatCash(sale.proceeds, currency)} − {formatCash(figures.cost, currency)} ={" "}
            <Gain amount={figures.realisedPnl} currency={currency} />
          </span>
        </li>
      ))}
    </ul>
  );
}

/** How the profit of a sale came about, by either method and lot by lot. */
function SaleOrigin({ sale, onClose }: { sale: Sale; onClose: () => void }) {
  const { t, i18n } = useTranslation();
  const { currency } = sale;
  return (
    <Dialog title={`${sale.symbol} · ${formatDay(sale.soldOn, i18n.language)}`} wide onClose={onClose}>
      <div className="space-y-4 text-[13px]">
        <SaleMethods sale={sale} />
        <Table
          label={t("portfolio.lotsSold")}
          columns={[
            { label: t("portfolio.acquiredOn"), words: true },
            { label: t("portfolio.quantity") },
            { label: t("portfolio.cost") },
            { label: t("portfolio.proceeds") },
            { label: t("portfolio.gain") },
          ]}
        >
          {sale.lots.map((lot) => (
            <Row key={lot.lotId}>
              <Cell words>{formatDay(lot.acquiredOn, i18n.language)}</Cell>
              <Cell>{formatQuantity(lot.quantity)}</Cell>
              <Cell>{formatCash(lot.cost, currency)}</Cell>
              <Cell>{formatCash(lot.proceeds, currency)}</Cell>
              <Cell>
                <Gain amount={new Decimal(lot.proceeds).minus(lot.cost)} currency={currency} />
              </Cell>
            </Row>
          ))}
        </Table>
        <p className="text-soft text-xs">{t("portfolio.beforeFees")}</p>
      </div>
    </Dialog>
  );
}
