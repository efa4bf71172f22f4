import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { ChartFill, ChartLine } from "@/features/market/chart/overlays";
import { pastFillsQuery } from "@/features/orders/api/orders";
import { type Movable, movablePrices } from "@/features/orders/hooks/movable";
import { useHoldings } from "@/features/portfolio/hooks/use-holdings";
import type { Order } from "@/lib/api/types";
import { useCapabilities } from "@/lib/capabilities";
import { useEventsReady } from "@/lib/events-status";
import { mergeFills, useFills } from "@/lib/fills";
import { formatQuantity, isZero } from "@/lib/format";
import { openOrdersQuery } from "@/lib/open-orders";
import { useQuietMoment } from "@/lib/ui/use-quiet-moment";

/** What an account without an id has: nothing is asked for it. */
const NONE = "";

/** The prices of open orders in a symbol, by the name of their line. */
export function useMovables(accountId: string | null, symbol: string | null): Map<string, Movable> {
  const ready = useEventsReady();
  const { data } = useQuery({ ...openOrdersQuery(accountId ?? NONE), enabled: ready && accountId !== null });
  return useMemo(() => {
    const own = (data ?? []).filter((order: Order) => order.symbol === symbol);
    return new Map(own.flatMap(movablePrices).map((movable) => [movable.id, movable]));
  }, [data, symbol]);
}

/** The account's own things in the chart: what its shares have cost, its open orders, its executions. */
export function useChartOverlays(
  accountId: string | null,
  symbol: string | null,
  movables: Map<string, Movable>,
): { lines: ChartLine[]; fills: ChartFill[] } {
  const { t } = useTranslation();
  const { data: holdings } = useHoldings(accountId);
  const canReplace = useCapabilities(accountId)?.replace !== false;
  // Each order is asked for its own: the first screen does not wait for that.
  const quiet = useQuietMoment();
  const past = useQuery({ ...pastFillsQuery(accountId ?? NONE), enabled: quiet && accountId !== null });
  const heard = useFills((state) => state.fills);
  const position = holdings?.positions.find((held) => held.symbol === symbol && !isZero(held.quantity));
  const averageCost = position?.averageCost;
  const lines = useMemo(() => {
    const orders = [...movables.values()].map(({ id, order, price }): ChartLine => {
      const words = `${t(`ticket.${order.side}`)} ${formatQuantity(order.leavesQuantity)}`;
      return {
        id,
        price,
        title: words,
        tone: order.side,
        movable: canReplace && !order.cancelRequested && order.replacing == null,
      };
    });
    if (averageCost === undefined) return orders;
    const cost: ChartLine = {
      id: "cost",
      price: averageCost,
      title: t("market.averageCost"),
      tone: "cost",
      movable: false,
    };
    return [...orders, cost];
  }, [movables, averageCost, canReplace, t]);
  const fills = useMemo(() => {
    const own = mergeFills(heard, past.data ?? []).filter(
      (fill) => fill.accountId === accountId && fill.symbol === symbol,
    );
    return own.map(
      ({ executionId, side, occurredAt, sessionDate, quantity }): ChartFill => ({
        id: executionId,
        side,
        occurredAt,
        sessionDate,
        text: formatQuantity(quantity),
      }),
    );
  }, [heard, past.data, accountId, symbol]);
  return { lines, fills };
}
