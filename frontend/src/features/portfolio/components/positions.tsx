import { memo } from "react";
import { useTranslation } from "react-i18next";
import type { Position } from "@/lib/api/types";
import { formatCash, formatPrice, formatQuantity, isZero } from "@/lib/format";
import { setPreferences } from "@/lib/preferences";
import { useQuote } from "@/lib/quotes/use-quote";
import { Gain } from "@/lib/ui/gain";
import { LoadFailure } from "@/lib/ui/notice";
import { Empty } from "@/lib/ui/panel";
import { PriceKindMark } from "@/lib/ui/price-kind-mark";
import { Cell, Row, Table } from "@/lib/ui/table";
import { useHoldings } from "../hooks/use-holdings";
import { valueOfPosition } from "../hooks/value";
import { CloseButton } from "./close-button";

/** What the account holds, valued as prices move; `full` adds dividends and the way out. */
export function Positions({ accountId, full = false }: { accountId: string; full?: boolean }) {
  const { t } = useTranslation();
  const holdings = useHoldings(accountId);
  if (holdings.isError) return <LoadFailure failure={holdings.error} onRetry={() => holdings.refetch()} />;
  if (holdings.data === undefined) return <Empty>{t("app.loading")}</Empty>;
  if (holdings.data.positions.length === 0) return <Empty>{t("portfolio.empty")}</Empty>;
  return (
    <Table
      label={t("portfolio.title")}
      columns={[
        { label: t("portfolio.symbol"), words: true },
        { label: t("portfolio.quantity") },
        { label: t("portfolio.averageCost") },
        { label: t("portfolio.marketPrice") },
        { label: t("portfolio.marketValue"), wideOnly: true },
        { label: t("portfolio.unrealised") },
        { label: t("portfolio.realised"), wideOnly: true },
        ...(full
          ? [
              { label: t("portfolio.dividends"), wideOnly: true },
              { label: "", action: true },
            ]
          : []),
      ]}
    >
      {holdings.data.positions.map((position) => (
        <PositionRow key={position.symbol} position={position} full={full} />
      ))}
    </Table>
  );
}

const PositionRow = memo(function PositionRow({ position, full }: { position: Position; full: boolean }) {
  const { t } = useTranslation();
  const quote = useQuote(position.symbol);
  const { symbol, currency, quantity } = position;
  const value = valueOfPosition(position, quote?.price);
  const closed = isZero(quantity);
  const isShort = quantity.startsWith("-");
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
        {quote?.simulated && !closed && (
          <span className="ml-2">
            <PriceKindMark kind="simulated" />
          </span>
        )}
        {closed && <span className="ml-2 text-soft text-xs">{t("portfolio.realisedOnly")}</span>}
        {isShort && <span className="ml-2 text-soft text-xs">{t("portfolio.soldShort")}</span>}
      </Cell>
      <Cell>{formatQuantity(quantity)}</Cell>
      <Cell>{closed ? "–" : formatPrice(position.averageCost, currency)}</Cell>
      <Cell>{value.price === null ? "–" : formatPrice(value.price, currency)}</Cell>
      <Cell wideOnly>{value.marketValue === null ? "–" : formatCash(value.marketValue, currency)}</Cell>
      <Cell>
        <Gain
          amount={closed ? null : value.unrealised}
          percent={value.unrealisedPercent}
          currency={currency}
        />
      </Cell>
      <Cell wideOnly>
        <Gain amount={position.realisedPnl} currency={currency} />
      </Cell>
      {full && <Cell wideOnly>{formatCash(position.dividends, currency)}</Cell>}
      {full && <Cell action>{!closed && !isShort && <CloseButton position={position} />}</Cell>}
    </Row>
  );
});
