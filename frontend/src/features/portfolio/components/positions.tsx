import { Fragment, memo } from "react";
import { useTranslation } from "react-i18next";
import type { Position } from "@/lib/api/types";
import { formatCash, formatPrice, formatQuantity, isZero } from "@/lib/format";
import { setPreferences } from "@/lib/preferences";
import { useQuote } from "@/lib/quotes/use-quote";
import { Gain } from "@/lib/ui/gain";
import { LoadFailure } from "@/lib/ui/notice";
import { Empty } from "@/lib/ui/panel";
import { PriceKindMark } from "@/lib/ui/price-kind-mark";
import { Cell, GroupHead, Row, Table } from "@/lib/ui/table";
import { byCurrency } from "../hooks/by-currency";
import { useHoldings } from "../hooks/use-holdings";
import { valueOfPosition } from "../hooks/value";
import { BuyBackButton } from "./buy-back-button";
import { CloseButton } from "./close-button";
import { PositionFigure } from "./position-figure";

interface Props {
  accountId: string;
  /** Adds what there is room for in the room of its own. */
  full?: boolean;
  /** Called when a symbol was chosen, where it is not shown beside. */
  onShow?: () => void;
}

/** What the account holds or has sold short, valued as prices move, and the way out. */
export function Positions({ accountId, full = false, onShow }: Props) {
  const { t } = useTranslation();
  const holdings = useHoldings(accountId);
  if (holdings.isError) return <LoadFailure failure={holdings.error} onRetry={() => holdings.refetch()} />;
  if (holdings.data === undefined) return <Empty>{t("app.loading")}</Empty>;
  if (holdings.data.positions.length === 0) return <Empty>{t("portfolio.empty")}</Empty>;
  const columns = [
    { label: t("portfolio.symbol"), words: true },
    { label: t("portfolio.quantity") },
    { label: t("portfolio.averageCost"), wideOnly: true },
    { label: t("portfolio.marketPrice") },
    { label: t("portfolio.marketValue"), wideOnly: true },
    { label: t("portfolio.unrealised") },
    { label: t("portfolio.realised"), widestOnly: true },
    ...(full ? [{ label: t("portfolio.dividends"), wideOnly: true }] : []),
    { label: "", action: true },
  ];
  const groups = byCurrency(holdings.data.positions);
  return (
    <Table label={t("portfolio.title")} columns={columns}>
      {groups.map(([currency, positions]) => (
        <Fragment key={currency}>
          {groups.length > 1 && <GroupHead columns={columns.length}>{currency}</GroupHead>}
          {positions.map((position) => (
            <PositionRow key={position.symbol} position={position} full={full} onShow={onShow} />
          ))}
        </Fragment>
      ))}
    </Table>
  );
}

/** Beside the symbol, or below it where there is little room. */
const MARK = "ml-2 text-soft text-xs @max-md:ml-0 @max-md:block";

interface RowProps {
  position: Position;
  full: boolean;
  onShow: (() => void) | undefined;
}

const PositionRow = memo(function PositionRow({ position, full, onShow }: RowProps) {
  const { t } = useTranslation();
  const quote = useQuote(position.symbol);
  const { symbol, currency, quantity } = position;
  const value = valueOfPosition(position, quote?.price);
  const closed = isZero(quantity);
  const isShort = quantity.startsWith("-");
  const show = () => {
    setPreferences({ symbol });
    onShow?.();
  };
  return (
    <Row>
      <Cell words>
        <button type="button" className="font-medium hover:underline" onClick={show}>
          {symbol}
        </button>
        {quote?.simulated && !closed && (
          <span className="ml-2">
            <PriceKindMark kind="simulated" />
          </span>
        )}
        {closed && <span className={MARK}>{t("portfolio.realisedOnly")}</span>}
        {isShort && <span className={MARK}>{t("portfolio.soldShort")}</span>}
      </Cell>
      <Cell>
        <PositionFigure figure="quantity" position={position}>
          {formatQuantity(quantity)}
        </PositionFigure>
      </Cell>
      <Cell wideOnly>
        {closed ? (
          "–"
        ) : (
          <PositionFigure figure="averageCost" position={position}>
            {formatPrice(position.averageCost, currency)}
          </PositionFigure>
        )}
      </Cell>
      <Cell>
        {value.price === null ? (
          "–"
        ) : (
          <PositionFigure figure="price" position={position}>
            {formatPrice(value.price, currency)}
          </PositionFigure>
        )}
      </Cell>
      <Cell wideOnly>
        {value.marketValue === null ? (
          "–"
        ) : (
          <PositionFigure figure="marketValue" position={position}>
            {formatCash(value.marketValue, currency)}
          </PositionFigure>
        )}
      </Cell>
      <Cell>
        <PositionFigure figure="unrealised" position={position}>
          <Gain
            amount={closed ? null : value.unrealised}
            percent={value.unrealisedPercent}
            currency={currency}
          />
        </PositionFigure>
      </Cell>
      <Cell widestOnly>
        <PositionFigure figure="realised" position={position}>
          <Gain amount={position.realisedPnl} currency={currency} />
        </PositionFigure>
      </Cell>
      {full && (
        <Cell wideOnly>
          <PositionFigure figure="dividends" position={position}>
            {formatCash(position.dividends, currency)}
          </PositionFigure>
        </Cell>
      )}
      <Cell action>
        <span className="inline-flex gap-1.5">
          {isShort && <BuyBackButton position={position} onShow={show} />}
          {!closed && <CloseButton position={position} />}
        </span>
      </Cell>
    </Row>
  );
});
