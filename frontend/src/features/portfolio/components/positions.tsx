import { useQuery } from "@tanstack/react-query";
import { memo } from "react";
import { useTranslation } from "react-i18next";
import type { Position } from "@/lib/api/types";
import { useEventsReady } from "@/lib/events-status";
import { formatCash, formatPrice, formatQuantity } from "@/lib/format";
import { setPreferences } from "@/lib/preferences";
import { useQuote } from "@/lib/quotes/use-quote";
import { Gain } from "@/lib/ui/gain";
import { LoadFailure } from "@/lib/ui/notice";
import { Empty } from "@/lib/ui/panel";
import { Cell, Row, Table } from "@/lib/ui/table";
import { positionsQuery } from "../api/portfolio";
import { valueOfPosition } from "../hooks/value";

export function usePositions(accountId: string) {
  const ready = useEventsReady();
  return useQuery({ ...positionsQuery(accountId), enabled: ready });
}

/** What the account holds, valued as prices move. */
export function Positions({ accountId }: { accountId: string }) {
  const { t } = useTranslation();
  const positions = usePositions(accountId);
  if (positions.isError) return <LoadFailure failure={positions.error} onRetry={() => positions.refetch()} />;
  if (positions.data === undefined) return <Empty>{t("app.loading")}</Empty>;
  if (positions.data.length === 0) return <Empty>{t("portfolio.empty")}</Empty>;
  return (
    <Table
      label={t("portfolio.title")}
      columns={[
        { label: t("portfolio.symbol"), words: true },
        { label: t("portfolio.quantity") },
        { label: t("portfolio.averageCost") },
        { label: t("portfolio.marketPrice") },
        { label: t("portfolio.marketValue") },
        { label: t("portfolio.unrealised") },
        { label: t("portfolio.realised") },
      ]}
    >
      {positions.data.map((position) => (
        <PositionRow key={position.symbol} position={position} />
      ))}
    </Table>
  );
}

const PositionRow = memo(function PositionRow({ position }: { position: Position }) {
  const { t } = useTranslation();
  const quote = useQuote(position.symbol);
  const { symbol, currency, quantity } = position;
  const value = valueOfPosition(position, quote?.price);
  const closed = quantity === "0";
  return (
    <Row>
      <Cell words>
        <button
          type="button"
          className="font-medium hover:underline"
          onClick={() => setPreferences({ symbol })}
        >
          {symbol}
        </button>
        {closed && <span className="ml-2 text-soft text-xs">{t("portfolio.realisedOnly")}</span>}
      </Cell>
      <Cell>{formatQuantity(quantity)}</Cell>
      <Cell>{closed ? "–" : formatPrice(position.averageCost, currency)}</Cell>
      <Cell>{value.price === null ? "–" : formatPrice(value.price, currency)}</Cell>
      <Cell>{value.marketValue === null ? "–" : formatCash(value.marketValue, currency)}</Cell>
      <Cell>
        <Gain
          amount={closed ? null : value.unrealised}
          percent={value.unrealisedPercent}
          currency={currency}
        />
      </Cell>
      <Cell>
        <Gain amount={position.realisedPnl} currency={currency} />
      </Cell>
    </Row>
  );
});
