import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Account, Simulation } from "@/lib/api/types";
import { problemSentence } from "@/lib/i18n/sentences";
import { queryKeys } from "@/lib/query-keys";
import { showToast } from "@/lib/toasts";
import { LoadFailure } from "@/lib/ui/notice";
import { Segmented } from "@/lib/ui/segmented";
import { chooseSimulation, SIMULATIONS, simulationQuery } from "../api/simulation";

/** How far the executions of a play account are like real ones. Open orders keep what they were placed under. */
export function SimulationChoice({ account }: { account: Account }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const chosen = useQuery(simulationQuery(account.id));
  const choosing = useMutation({
    mutationFn: (simulation: Simulation) => chooseSimulation(account.id, simulation),
    onSuccess: (answer) => queries.setQueryData(queryKeys.simulation(account.id), answer),
    onError: (failure) => showToast({ tone: "bad", title: problemSentence(failure) }),
  });
  if (chosen.isError) return <LoadFailure failure={chosen.error} onRetry={() => chosen.refetch()} />;
  if (chosen.data === undefined) return null;
  const value = choosing.isPending ? choosing.variables : chosen.data.simulation;
  return (
    <section className="space-y-2">
      <h3 className="font-semibold text-[13px]">{t("simulation.title")}</h3>
      <div className="max-w-sm">
        <Segmented
          legend={t("simulation.title")}
          legendHidden
          size="small"
          value={value}
          onChange={(simulation) => choosing.mutate(simulation)}
          options={SIMULATIONS.map((setting) => ({ value: setting, label: t(`simulation.name.${setting}`) }))}
        />
      </div>
      <p className="max-w-2xl text-soft text-xs">
        {t(`simulation.hint.${value}`)} {t("simulation.later")}
      </p>
    </section>
  );
}
