import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Account, CostMethod } from "@/lib/api/types";
import { problemSentence } from "@/lib/i18n/sentences";
import { queryKeys } from "@/lib/query-keys";
import { showToast } from "@/lib/toasts";
import { Segmented } from "@/lib/ui/segmented";
import { chooseCostMethod } from "../api/portfolio";

/** How the profit of sales is told; the books keep both figures, so it can be changed at any time. */
export function CostMethodChoice({ account }: { account: Account }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const choosing = useMutation({
    mutationFn: (method: CostMethod) => chooseCostMethod(account.id, method),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: queryKeys.accounts });
      void queries.invalidateQueries({ queryKey: queryKeys.holdings(account.id) });
    },
    onError: (failure) => showToast({ tone: "bad", title: problemSentence(failure) }),
  });
  return (
    <Segmented
      legend={t("portfolio.costMethod")}
      legendHidden
      size="small"
      value={choosing.isPending ? choosing.variables : account.costMethod}
      onChange={(method) => choosing.mutate(method)}
      options={[
        { value: "average", label: t("portfolio.method.average") },
        { value: "fifo", label: t("portfolio.method.fifo") },
      ]}
    />
  );
}
