import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { OrderGroup } from "@/lib/api/types";
import { currencyOf } from "@/lib/currency";
import { useEventsReady } from "@/lib/events-status";
import { formatPrice, formatQuantity } from "@/lib/format";
import { problemSentence } from "@/lib/i18n/sentences";
import { queryKeys } from "@/lib/query-keys";
import { showToast } from "@/lib/toasts";
import { Button } from "@/lib/ui/button";
import { LoadFailure } from "@/lib/ui/notice";
import { activeGroupsQuery, cancelGroup } from "../api/order-pages";
import { isOver } from "../hooks/is-over";

/** Groups in which something may still happen, with the orders that wait for their turn. */
export function OrderGroups({ accountId }: { accountId: string }) {
  const { t } = useTranslation();
  const ready = useEventsReady();
  const groups = useQuery({ ...activeGroupsQuery(accountId), enabled: ready });
  if (groups.isError && groups.data === undefined)
    return <LoadFailure what={t("orders.groups")} failure={groups.error} onRetry={() => groups.refetch()} />;
  // The server closes a group a moment after the last of its orders.
  const active = groups.data?.filter((group) => !isOver(group)) ?? [];
  if (active.length === 0) return null;
  return (
    <section aria-label={t("orders.groups")} className="rounded-lg border border-line bg-panel p-3">
      <h2 className="mb-2 font-semibold text-[13px]">{t("orders.groups")}</h2>
      <ul className="grid gap-2 md:grid-cols-2 xl:grid-cols-3">
        {active.map((group) => (
          <Group key={group.id} group={group} />
        ))}
      </ul>
    </section>
  );
}

function Group({ group }: { group: OrderGroup }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const cancelling = useMutation({
    mutationFn: () => cancelGroup(group.id),
    onSuccess: () => queries.invalidateQueries({ queryKey: queryKeys.orderGroups(group.accountId) }),
    onError: (failure) => showToast({ tone: "bad", title: problemSentence(failure) }),
  });
  return (
    <li className="rounded-md border border-line p-2.5 text-[13px]">
      <div className="flex items-center justify-between gap-2">
        <span>
          <strong className="font-medium">{group.symbol}</strong> {formatQuantity(group.quantity)} ·{" "}
          {t(`orders.groupKind.${group.kind}`)}
        </span>
        <Button
          size="small"
          disabled={cancelling.isPending || group.cancelRequested}
          onClick={() => cancelling.mutate()}
        >
          {t(group.cancelRequested ? "orders.cancelling" : "orders.cancel")}
        </Button>
      </div>
      <ul className="mt-1.5 text-xs">
        {group.legs.map((leg) => (
          <Leg key={leg.orderId} leg={leg} symbol={group.symbol} />
        ))}
      </ul>
    </li>
  );
}

function Leg({ leg, symbol }: { leg: OrderGroup["legs"][number]; symbol: string }) {
  const { t } = useTranslation();
  const currency = currencyOf(symbol);
  const price = leg.limitPrice ?? leg.stopPrice ?? leg.trailAmount;
  const trail = leg.trailPercent == null ? "" : `${leg.trailPercent}%`;
  const state = leg.order == null ? t(`orders.legState.${leg.state}`) : t(`orders.state.${leg.order.state}`);
  return (
    <li className="flex justify-between gap-2 py-0.5">
      <span className="text-soft">{t(`orders.leg.${leg.leg === "then" ? "thenOrder" : leg.leg}`)}</span>
      <span>{price == null ? trail || t("ticket.types.market") : formatPrice(price, currency)}</span>
      <span>{state}</span>
    </li>
  );
}
