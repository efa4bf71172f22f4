import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Order } from "@/lib/api/types";
import { useEventsReady } from "@/lib/events-status";
import { formatQuantity } from "@/lib/format";
import { problemSentence } from "@/lib/i18n/sentences";
import { OPEN_ORDERS_DRAWN_MAX } from "@/lib/limits";
import { openOrdersQuery } from "@/lib/open-orders";
import { applyOrder } from "@/lib/order-lists";
import { showToast } from "@/lib/toasts";
import { Button } from "@/lib/ui/button";
import { Moment } from "@/lib/ui/moment";
import { LoadFailure } from "@/lib/ui/notice";
import { Empty } from "@/lib/ui/panel";
import { Cell, Row, Table } from "@/lib/ui/table";
import { cancelOrder } from "../api/orders";
import { OrderHead, OrderKind, OrderQuantity, StateWord, useOrderColumns } from "./order-cells";
import { OrderDetail } from "./order-detail";

/** How many orders are working; shown on the tab. */
export function useOpenOrderCount(accountId: string): number {
  const ready = useEventsReady();
  const { data } = useQuery({ ...openOrdersQuery(accountId), enabled: ready });
  return data?.length ?? 0;
}

/** How many working orders the broker has said nothing of. */
export function useUnresolvedCount(accountId: string): number {
  const ready = useEventsReady();
  const { data } = useQuery({ ...openOrdersQuery(accountId), enabled: ready });
  return data?.filter(({ unresolved }) => unresolved).length ?? 0;
}

export function OpenOrders({ accountId }: { accountId: string }) {
  const { t } = useTranslation();
  const ready = useEventsReady();
  const columns = useOrderColumns();
  // Kept here and not in its row: an order that is filled while it is looked at leaves the list.
  const [opened, setOpened] = useState<string | null>(null);
  const detail = opened !== null && <OrderDetail orderId={opened} onClose={() => setOpened(null)} />;
  const orders = useQuery({ ...openOrdersQuery(accountId), enabled: ready });
  if (orders.isError) return <LoadFailure failure={orders.error} onRetry={() => orders.refetch()} />;
  if (orders.data === undefined) return <Empty>{t("app.loading")}</Empty>;
  if (orders.data.length === 0) {
    return (
      <>
        <Empty>{t("orders.noOpen")}</Empty>
        {detail}
      </>
    );
  }
  const more = orders.data.length - OPEN_ORDERS_DRAWN_MAX;
  return (
    <>
      <Table
        label={t("orders.open")}
        columns={[
          ...columns,
          { label: t("orders.quantity") },
          { label: t("orders.type"), words: true },
          { label: t("orders.filled") },
          { label: t("orders.status"), words: true },
          { label: t("orders.time"), wideOnly: true },
          { label: "", action: true },
        ]}
      >
        {orders.data.slice(0, OPEN_ORDERS_DRAWN_MAX).map((order) => (
          <OpenOrder key={order.id} order={order} onOpen={setOpened} />
        ))}
      </Table>
      {more > 0 && <p className="px-3 py-2 text-soft text-xs">{t("orders.moreOpen", { count: more })}</p>}
      {detail}
    </>
  );
}

function OpenOrder({ order, onOpen }: { order: Order; onOpen: (orderId: string) => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const cancelling = useMutation({
    mutationFn: () => cancelOrder(order.id),
    onSuccess: (latest) => void applyOrder(queries, latest),
    onError: (failure) => showToast({ tone: "bad", title: problemSentence(failure) }),
  });
  const words = {
    side: t(`ticket.${order.side}`),
    quantity: formatQuantity(order.quantity),
    symbol: order.symbol,
  };
  return (
    <Row>
      <OrderHead symbol={order.symbol} side={order.side} />
      <Cell>
        <OrderQuantity order={order} />
      </Cell>
      <Cell words>
        <OrderKind order={order} />
      </Cell>
      <Cell>{formatQuantity(order.filledQuantity)}</Cell>
      <Cell words>
        <StateWord order={order} />
      </Cell>
      <Cell wideOnly>
        <Moment time={order.createdAt} currency={order.currency} />
      </Cell>
      <Cell action>
        <Button
          size="small"
          className="mr-1"
          aria-label={t("orders.openDetail", words)}
          onClick={() => onOpen(order.id)}
        >
          {t("orders.replace")}
        </Button>
        <Button
          size="small"
          aria-label={t("orders.cancelLabel", words)}
          disabled={cancelling.isPending || order.cancelRequested}
          onClick={() => cancelling.mutate()}
        >
          {t("orders.cancel")}
        </Button>
      </Cell>
    </Row>
  );
}
