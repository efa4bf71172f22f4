import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { formatQuantity } from "@/lib/format";
import { Button } from "@/lib/ui/button";
import { LoadFailure } from "@/lib/ui/notice";
import { orderDetailQuery } from "../api/order-pages";
import { StateWord } from "./order-cells";
import { OrderDetail } from "./order-detail";
import { ResolveOrder } from "./resolve-order";

interface Props {
  orderId: string;
  /** Whether a person was asked to say what became of it. */
  isUnresolved: boolean;
}

/** The order that an incident is about: the way to its history, and where nobody knows of it, the way to say so. */
export function IncidentOrder({ orderId, isUnresolved }: Props) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  return (
    <div className="mt-1 space-y-2">
      {isUnresolved && <Unresolved orderId={orderId} />}
      <Button size="small" onClick={() => setOpened(true)}>
        {t("orders.resolve.look")}
      </Button>
      {opened && <OrderDetail orderId={orderId} onClose={() => setOpened(false)} />}
    </div>
  );
}

function Unresolved({ orderId }: { orderId: string }) {
  const { t } = useTranslation();
  const { data: order, error, isError, refetch } = useQuery(orderDetailQuery(orderId));
  if (isError) return <LoadFailure what={t("orders.detail")} failure={error} onRetry={() => refetch()} />;
  if (order === undefined) return null;
  const words = {
    side: t(`ticket.${order.side}`),
    quantity: t("ticket.sharesWord", { quantity: formatQuantity(order.quantity) }),
    symbol: order.symbol,
  };
  return (
    <>
      <p>
        {t("ticket.cardTitle", words)} <StateWord order={order} />
      </p>
      <ResolveOrder order={order} />
    </>
  );
}
