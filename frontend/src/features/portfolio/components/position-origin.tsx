import { useInfiniteQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Position } from "@/lib/api/types";
import { Decimal, sum } from "@/lib/decimal";
import {
  formatCash,
  formatDay,
  formatGain,
  formatPercent,
  formatPrice,
  formatQuantity,
  formatTime,
  isZero,
} from "@/lib/format";
import { movementWord } from "@/lib/i18n/sentences";
import { priceKind } from "@/lib/quotes/quote";
import { quotes } from "@/lib/quotes/socket";
import { MoreRows } from "@/lib/ui/more-rows";
import { Formula, Sum, type SumTerm } from "@/lib/ui/sum";
import { positionMovementsQuery } from "../api/origins";
import { DIVIDENDS, movementPagesQuery } from "../api/performance";
import { lotPagesQuery, salePagesQuery } from "../api/portfolio";
import { valueOfPosition } from "../hooks/value";
import { Missing } from "./movements-origin";

/** A figure of a position. */
export type PositionFigure =
  | "quantity"
  | "averageCost"
  | "price"
  | "marketValue"
  | "unrealised"
  | "realised"
  | "dividends";

interface Props {
  position: Position;
}

/** The numbers of which a figure of a position is made. */
export default function PositionOrigin({ figure, position }: Props & { figure: PositionFigure }) {
  switch (figure) {
    case "quantity":
      return <MovedSum position={position} of="quantity" />;
    case "averageCost":
      return <AverageCost position={position} />;
    case "price":
      return <PriceSource position={position} />;
    case "marketValue":
      return <Worth position={position} />;
    case "unrealised":
      return <Unrealised position={position} />;
    case "realised":
      return <Realised position={position} />;
    case "dividends":
      return <Dividends position={position} />;
  }
}

const signed = (quantity: string | Decimal) =>
  `${new Decimal(quantity).greaterThan(0) ? "+" : ""}${formatQuantity(quantity)}`;

/** What has moved the shares, or their cost at average. */
function MovedSum({ position, of }: Props & { of: "quantity" | "costChange" }) {
  const { t, i18n } = useTranslation();
  const { accountId, symbol, currency } = position;
  const pages = useInfiniteQuery(positionMovementsQuery(accountId, symbol));
  if (pages.data === undefined) return <Missing query={pages} />;
  const movements = pages.data.pages.flatMap((page) => page.movements);
  const whole = of === "quantity" ? position.quantity : position.byAverage.cost;
  const earlier = new Decimal(whole).minus(sum(movements.map((movement) => movement[of])));
  const format = (change: string | Decimal) =>
    of === "quantity" ? signed(change) : formatGain(change, currency);
  const words = (movement: (typeof movements)[number]) => {
    const shares = new Decimal(movement.quantity);
    const price = isZero(movement.worth)
      ? ""
      : ` × ${formatPrice(new Decimal(movement.worth).dividedBy(shares.abs()).toDecimalPlaces(4), currency)}`;
    const times = shares.isZero() ? "" : ` ${signed(shares)}${price}`;
    return `${formatDay(movement.tradeDate, i18n.language)} ${movementWord(movement.kind)}${times}`;
  };
  return (
    <>
      <Sum
        terms={[
          ...movements.map((movement) => ({ label: words(movement), amount: format(movement[of]) })),
          ...restOf(earlier, format, t("origin.earlier")),
        ]}
        result={of === "quantity" ? formatQuantity(whole) : formatCash(whole, currency)}
      />
      <MoreRows pages={pages} />
    </>
  );
}

/** A line for what was not named, where there is something. */
function restOf(rest: Decimal, format: (amount: Decimal) => string, label: string): SumTerm[] {
  return rest.isZero() ? [] : [{ label, amount: format(rest) }];
}

/** The cost by the account's method, and what of it falls on a share. */
function AverageCost({ position }: Props) {
  const { currency, cost, quantity, averageCost, costMethod } = position;
  return (
    <>
      {costMethod === "average" ? (
        <MovedSum position={position} of="costChange" />
      ) : (
        <LotsLeft position={position} />
      )}
      <Formula>
        {formatCash(cost, currency)} ÷ {formatQuantity(quantity)} ={" "}
        <strong className="font-medium">{formatPrice(averageCost, currency)}</strong>
      </Formula>
    </>
  );
}

/** The lots that are left, and what each has cost. */
function LotsLeft({ position }: Props) {
  const { t, i18n } = useTranslation();
  const { accountId, symbol, currency, byFifo } = position;
  const pages = useInfiniteQuery(lotPagesQuery(accountId, symbol));
  if (pages.data === undefined) return <Missing query={pages} />;
  const lots = pages.data.pages.flatMap((page) => page.lots);
  const later = new Decimal(byFifo.cost).minus(sum(lots.map((lot) => lot.cost)));
  return (
    <>
      <Sum
        terms={[
          ...lots.map((lot) => ({
            label: `${formatDay(lot.acquiredOn, i18n.language)} ${formatQuantity(lot.quantity)}`,
            amount: formatCash(lot.cost, currency),
          })),
          ...restOf(later, (amount) => formatCash(amount, currency), t("origin.laterLots")),
        ]}
        result={formatCash(byFifo.cost, currency)}
      />
      <MoreRows pages={pages} />
    </>
  );
}

/** Where the price comes from, and when it was current. */
function PriceSource({ position }: Props) {
  const { t, i18n } = useTranslation();
  const { symbol, currency, marketPrice, pricedAt } = position;
  const quote = quotes.get(symbol);
  const price = quote?.price ?? marketPrice;
  const at = quote?.time ?? pricedAt;
  const lines = [
    ...(at == null ? [] : [{ label: t("origin.pricedAt"), amount: formatTime(at, i18n.language, true) }]),
    ...(quote === undefined
      ? []
      : [
          { label: t("origin.source"), amount: `${quote.source} (${t(`status.${priceKind(quote)}`)})` },
          ...(quote.previousClose === null
            ? []
            : [
                { label: t("origin.previousClose"), amount: formatPrice(quote.previousClose, currency) },
                {
                  label: t("origin.change"),
                  amount: quote.change === null ? "–" : formatGain(quote.change, currency),
                },
              ]),
        ]),
  ];
  return <Sum terms={lines} result={price == null ? "–" : formatPrice(price, currency)} />;
}

const liveValue = (position: Position) => valueOfPosition(position, quotes.get(position.symbol)?.price);

/** Shares times the price of now. */
function Worth({ position }: Props) {
  const { currency, quantity } = position;
  const { price, marketValue } = liveValue(position);
  if (price === null || marketValue === null) return null;
  return (
    <>
      <Formula>
        {formatQuantity(quantity)} × {formatPrice(price, currency)} ={" "}
        <strong className="font-medium">{formatCash(marketValue, currency)}</strong>
      </Formula>
      <PriceSource position={position} />
    </>
  );
}

/** Worth less cost, and what part of the cost that is. */
function Unrealised({ position }: Props) {
  const { t } = useTranslation();
  const { currency, quantity, cost } = position;
  const { price, marketValue, unrealised, unrealisedPercent } = liveValue(position);
  if (price === null || marketValue === null || unrealised === null) return null;
  return (
    <>
      <Sum
        terms={[
          {
            label: `${formatQuantity(quantity)} × ${formatPrice(price, currency)}`,
            amount: formatGain(marketValue, currency),
          },
          { label: t("portfolio.cost"), amount: formatGain(new Decimal(cost).negated(), currency) },
        ]}
        result={formatGain(unrealised, currency)}
      />
      {unrealisedPercent !== null && (
        <Formula>
          {formatGain(unrealised, currency)} ÷ {formatCash(new Decimal(cost).abs(), currency)} ={" "}
          <strong className="font-medium">{formatPercent(unrealisedPercent)}</strong>
        </Formula>
      )}
    </>
  );
}

/** What each sale has brought, less what the shares sold had cost by the account's method. */
function Realised({ position }: Props) {
  const { t, i18n } = useTranslation();
  const { accountId, symbol, currency, realisedPnl } = position;
  const pages = useInfiniteQuery(salePagesQuery(accountId, symbol));
  if (pages.data === undefined) return <Missing query={pages} />;
  const sales = pages.data.pages.flatMap((page) => page.sales);
  const earlier = new Decimal(realisedPnl).minus(sum(sales.map((sale) => sale.realisedPnl)));
  return (
    <>
      <Sum
        terms={[
          ...sales.map((sale) => {
            const cost = (sale.costMethod === "fifo" ? sale.byFifo : sale.byAverage).cost;
            return {
              label: `${formatDay(sale.soldOn, i18n.language)} ${formatQuantity(sale.quantity)}: ${formatCash(sale.proceeds, currency)} − ${formatCash(cost, currency)}`,
              amount: formatGain(sale.realisedPnl, currency),
            };
          }),
          ...restOf(earlier, (amount) => formatGain(amount, currency), t("origin.earlier")),
        ]}
        result={formatGain(realisedPnl, currency)}
      />
      <MoreRows pages={pages} />
    </>
  );
}

/** What came in for dividends, and what was kept back of them for taxes. */
function Dividends({ position }: Props) {
  const { t, i18n } = useTranslation();
  const { accountId, symbol, currency, dividends } = position;
  const pages = useInfiniteQuery(movementPagesQuery(accountId, DIVIDENDS));
  if (pages.data === undefined) return <Missing query={pages} />;
  const own = pages.data.pages
    .flatMap((page) => page.lines)
    .filter((line) => line.symbol === symbol && line.commodity === currency);
  const rest = new Decimal(dividends).minus(sum(own.map(({ amount }) => amount)));
  return (
    <>
      <Sum
        terms={[
          ...own.map((line) => ({
            label: `${formatTime(line.bookedAt, i18n.language, true)} ${movementWord(line.kind)}`,
            amount: formatGain(line.amount, currency),
          })),
          ...restOf(
            rest,
            (amount) => formatGain(amount, currency),
            t(pages.hasNextPage ? "origin.earlier" : "origin.taxOnDividends"),
          ),
        ]}
        result={formatGain(dividends, currency)}
      />
      <MoreRows pages={pages} />
    </>
  );
}
