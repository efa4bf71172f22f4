import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { problemSentence } from "@/lib/i18n/sentences";
import type { OrderSearch } from "@/lib/order-search";
import { showToast } from "@/lib/toasts";
import { Button } from "@/lib/ui/button";
import { Confirm } from "@/lib/ui/confirm";
import { cancelAll, saveOrders } from "../api/order-pages";
import { useOpenOrderCount } from "./open-orders";

interface Props {
  accountId: string;
  search: OrderSearch;
}

/** What can be done with the orders of a search as a whole. */
export function OrdersBar({ accountId, search }: Props) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  const openCount = useOpenOrderCount(accountId);
  const saving = useMutation({
    mutationFn: () => saveOrders(accountId, search),
    onError: (failure) => showToast({ tone: "bad", title: problemSentence(failure) }),
  });
  return (
    <div className="flex gap-2">
      <Button size="small" disabled={saving.isPending} onClick={() => saving.mutate()}>
        {t(saving.isPending ? "orders.exporting" : "orders.export")}
      </Button>
      <Button size="small" disabled={openCount === 0} onClick={() => setAsking(true)}>
        {t("orders.cancelAll")}
      </Button>
      {asking && <CancelAll accountId={accountId} search={search} onClose={() => setAsking(false)} />}
    </div>
  );
}

function CancelAll({ accountId, search, onClose }: Props & { onClose: () => void }) {
  const { t } = useTranslation();
  const cancelling = useMutation({
    mutationFn: () => cancelAll(accountId, search),
    onSuccess: ({ requested, failed, more }) => {
      const words = { requested, failed };
      const title = t(failed > 0 || more ? "orders.cancelAllPart" : "orders.cancelAllDone", words);
      showToast({ tone: failed > 0 || more ? "bad" : "plain", title });
      onClose();
    },
  });
  const part = [search.symbol, search.side && t(`ticket.${search.side}`)].filter(Boolean).join(" ");
  return (
    <Confirm
      title={t("orders.cancelAll")}
      action={t("orders.cancelAll")}
      pending={cancelling.isPending}
      failure={cancelling.error}
      onConfirm={cancelling.mutate}
      onClose={onClose}
    >
      {part === "" ? t("orders.cancelAllAsk") : t("orders.cancelAllAskPart", { part })}
    </Confirm>
  );
}
