import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import type { OrderDetail as Detail } from "@/lib/api/types";
import { useCapabilities } from "@/lib/capabilities";
import { Decimal } from "@/lib/decimal";
import { formatCash, formatMoney, formatPrice, formatQuantity, orDash } from "@/lib/format";
import { historyDetail } from "@/lib/i18n/incident-sentences";
import { eventSentence, problemSentence } from "@/lib/i18n/sentences";
import { applyOrder, isOpen } from "@/lib/order-lists";
import { showToast } from "@/lib/toasts";
import { Button } from "@/lib/ui/button";
import { Dialog } from "@/lib/ui/dialog";
import { Moment } from "@/lib/ui/moment";
import { LoadFailure } from "@/lib/ui/notice";
import { Empty } from "@/lib/ui/panel";
import { Cell, Row, Table } from "@/lib/ui/table";
import { orderDetailQuery } from "../api/order-pages";
import { cancelOrder } from "../api/orders";
import { changeableTerms } from "../hooks/terms";
import { OrderKind, OrderQuantity, StateWord } from "./order-cells";
import { ReplaceForm } from "./replace-form";
import { ResolveOrder } from "./resolve-order";

/** An order with everything that happened to it. */
export function OrderDetail({ orderId, onClose }: { orderId: string; onClose: () => void }) {
  const { t } = useTranslation();
  const detail = useQuery(orderDetailQuery(orderId));
  const order = detail.data;
  const title =
    order === undefined
      ? t("orders.detail")
      : t("ticket.cardTitle", {
          side: t(`ticket.${order.side}`),
          quantity: t("ticket.sharesWord", { quantity: formatQuantity(order.quantity) }),
          symbol: order.symbol,
        });
  return (
    <Dialog title={title} wide onClose={onClose}>
      {detail.isError && <LoadFailure failure={detail.error} onRetry={() => detail.refetch()} />}
      {detail.isPending && <Empty>{t("app.loading")}</Empty>}
      {order !== undefined && <Contents order={order} />}
    </Dialog>
  );
}

function Contents({ order }: { order: Detail }) {
  const { t } = useTranslation();
  const [changing, setChanging] = useState(false);
  const broker = useCapabilities(order.accountId);
  const terms = changeableTerms(order, broker);
  const canReplace = broker?.replace !== false && Object.keys(terms).length > 0;
  return (
    <div className="space-y-4">
      <Terms order={order} />
      <ResolveOrder order={order} />
      {isOpen(order) && !changing && (
        <Actions order={order} canReplace={canReplace} onChange={() => setChanging(true)} />
      )}
      {isOpen(order) && changing && (
        <ReplaceForm order={order} before={terms} onDone={() => setChanging(false)} />
      )}
      <History order={order} />
      {order.executions.length > 0 && <Executions order={order} />}
      {order.requests.length > 0 && <Requests order={order} />}
      <p className="break-all text-soft text-xs">
        {t("orders.id")}: {order.clientOrderId}
        {order.origin === "EXTERNAL" && ` · ${t("orders.external")}`}
        {order.origin === "MARGIN_CALL" && ` · ${t("orders.byMarginCall")}`}
      </p>
    </div>
  );
}

function Terms({ order }: { order: Detail }) {
  const { t } = useTranslation();
  const { currency } = order;
  const until = order.expireDate == null ? "" : `: ${order.expireDate}`;
  const figures: [string, ReactNode][] = [
    [t("orders.status"), <StateWord key="state" order={order} />],
    [t("orders.type"), <OrderKind key="kind" order={order} />],
    [t("ticket.timeInForce"), `${t(`ticket.times.${order.timeInForce}`)}${until}`],
    [
      t("orders.filled"),
      <span key="filled">
        {formatQuantity(order.filledQuantity)}
        {" / "}
        <OrderQuantity order={order} />
      </span>,
    ],
    ...(order.notional == null
      ? []
      : [[t("orders.amount"), formatMoney(order.notional, currency)] as [string, ReactNode]]),
    [t("orders.averagePrice"), orDash(order.averageFillPrice, (price) => formatPrice(price, currency))],
    [t("orders.fees"), formatMoney(new Decimal(order.commission).plus(order.tax), currency)],
    [t("orders.held"), order.side === "buy" ? formatMoney(order.held, currency) : formatQuantity(order.held)],
    [t("orders.placedAt"), <Moment key="placed" time={order.createdAt} currency={currency} withYear both />],
  ];
  return (
    <dl className="grid grid-cols-2 gap-x-4 gap-y-2 text-[13px] sm:grid-cols-4">
      {figures.map(([label, value]) => (
        <div key={label} className="min-w-0">
          <dt className="text-soft text-xs">{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

interface ActionsProps {
  order: Detail;
  canReplace: boolean;
  onChange: () => void;
}

function Actions({ order, canReplace, onChange }: ActionsProps) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const cancelling = useMutation({
    mutationFn: () => cancelOrder(order.id),
    onSuccess: (latest) => void applyOrder(queries, latest),
    onError: (failure) => showToast({ tone: "bad", title: problemSentence(failure) }),
  });
  const waiting = order.cancelRequested || order.replacing != null;
  return (
    <div className="flex gap-2">
      {canReplace && (
        <Button disabled={waiting} onClick={onChange}>
          {t("orders.replace")}
        </Button>
      )}
      <Button disabled={cancelling.isPending || order.cancelRequested} onClick={() => cancelling.mutate()}>
        {t("orders.cancelOrder")}
      </Button>
    </div>
  );
}

function History({ order }: { order: Detail }) {
  const { t } = useTranslation();
  return (
    <section>
      <h3 className="mb-1 font-semibold text-[13px]">{t("orders.history")}</h3>
      <ol className="text-[13px]" data-testid="order-events">
        {order.events.map((entry) => (
          <li key={entry.sequence} className="flex flex-wrap gap-x-3 border-line/60 border-t py-1">
            <span className="text-soft">
              <Moment time={entry.occurredAt} currency={order.currency} withYear />
            </span>
            <span className="font-medium">{eventSentence(entry.event)}</span>
            {entry.detail != null && (
              <span className="min-w-0 break-words text-soft">{historyDetail(entry.detail)}</span>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}

function Executions({ order }: { order: Detail }) {
  const { t } = useTranslation();
  const columns = [
    { label: t("orders.time"), words: true },
    { label: t("orders.quantity") },
    { label: t("orders.price") },
    { label: t("orders.fees") },
  ];
  return (
    <section>
      <h3 className="mb-1 font-semibold text-[13px]">{t("orders.fills")}</h3>
      <Table label={t("orders.fills")} columns={columns}>
        {order.executions.map((execution) => (
          <Row key={execution.executionId}>
            <Cell words>
              <Moment time={execution.occurredAt} currency={order.currency} withYear />
            </Cell>
            <Cell>{formatQuantity(execution.quantity)}</Cell>
            <Cell>{formatPrice(execution.price, order.currency)}</Cell>
            <Cell>{formatCash(new Decimal(execution.commission).plus(execution.tax), order.currency)}</Cell>
          </Row>
        ))}
      </Table>
    </section>
  );
}

function Requests({ order }: { order: Detail }) {
  const { t } = useTranslation();
  return (
    <section>
      <h3 className="mb-1 font-semibold text-[13px]">{t("orders.requests")}</h3>
      <ul className="text-[13px]">
        {order.requests.map((request) => (
          <li key={request.id} className="flex flex-wrap gap-x-3 border-line/60 border-t py-1">
            <span className="text-soft">
              <Moment time={request.createdAt} currency={order.currency} withYear />
            </span>
            <span>{t(request.kind === "cancel" ? "orders.cancelOrder" : "orders.replace")}</span>
            <span className="font-medium">
              <RequestWord status={request.status} />
            </span>
            {request.reason != null && <span className="text-soft">{historyDetail(request.reason)}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}

const REQUEST_STATES = ["SENT", "UNRESOLVED", "ACCEPTED", "REJECTED"] as const;

function RequestWord({ status }: { status: string }) {
  const { t } = useTranslation();
  const known = REQUEST_STATES.find((state) => state === status);
  return known === undefined ? status : t(`orders.request.${known}`);
}
