import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Account, Incident, Reconciliation } from "@/lib/api/types";
import { formatTime } from "@/lib/format";
import { comparisonFailure, differenceSides } from "@/lib/i18n/incident-sentences";
import { brokerWord, differenceWord, problemSentence } from "@/lib/i18n/sentences";
import { queryKeys } from "@/lib/query-keys";
import { showToast } from "@/lib/toasts";
import { Button } from "@/lib/ui/button";
import { LoadFailure } from "@/lib/ui/notice";
import { Empty } from "@/lib/ui/panel";
import { compareNow, comparisonsQuery } from "../api/broker";
import { BrokerConnection } from "./broker-connection";
import { HaltSwitch } from "./halt";
import { Incidents } from "./incidents";
import { Margin } from "./margin";
import { SimulationChoice } from "./simulation";

interface Props {
  account: Account;
  orderOf: (incident: Incident) => ReactNode;
}

/** Whether the broker says the same as our books, whether trading is halted, and what a person must look at. */
export function BrokerState({ account, orderOf }: Props) {
  const { t } = useTranslation();
  const comparisons = useQuery(comparisonsQuery(account.id));
  const queries = useQueryClient();
  const comparing = useMutation({
    mutationFn: () => compareNow(account.id),
    onSuccess: () => queries.invalidateQueries({ queryKey: queryKeys.comparisons(account.id) }),
    onError: (failure) => showToast({ tone: "bad", title: problemSentence(failure) }),
  });
  return (
    <div className="space-y-4 p-3">
      <HaltSwitch account={account} />
      {account.broker === "simulator" ? (
        <>
          <SimulationChoice account={account} />
          <Margin account={account} />
        </>
      ) : (
        <BrokerConnection account={account} />
      )}
      <Incidents accountId={account.id} orderOf={orderOf} />
      <section className="space-y-2">
        <div className="flex items-center justify-between gap-2">
          <h3 className="font-semibold text-[13px]">{t("broker.comparisons")}</h3>
          <Button size="small" disabled={comparing.isPending} onClick={() => comparing.mutate()}>
            {t("broker.compareNow")}
          </Button>
        </div>
        <p className="max-w-2xl text-soft text-xs">
          {account.broker === "simulator"
            ? t("broker.playHint")
            : t("broker.hint", { broker: brokerWord(account.broker) })}
        </p>
        {comparisons.isError && (
          <LoadFailure failure={comparisons.error} onRetry={() => comparisons.refetch()} />
        )}
        {comparisons.data?.length === 0 && <Empty>{t("broker.notYet")}</Empty>}
        <ul className="text-[13px]">
          {comparisons.data?.map((comparison) => (
            <Comparison key={comparison.id} comparison={comparison} />
          ))}
        </ul>
      </section>
    </div>
  );
}

const OUTCOMES = ["agreed", "differed", "failed"] as const;

function Comparison({ comparison }: { comparison: Reconciliation }) {
  const { t, i18n } = useTranslation();
  const outcome = OUTCOMES.find((known) => known === comparison.outcome);
  const failure = comparisonFailure(comparison);
  const look = outcome === "agreed" ? "text-accent" : "text-bad";
  return (
    <li className="border-line/60 border-t py-1.5">
      <p className="flex flex-wrap gap-x-3">
        <span className="text-soft">{formatTime(comparison.endedAt, i18n.language, true)}</span>
        <span className={`font-medium ${look}`}>
          {outcome === undefined ? comparison.outcome : t(`broker.outcome.${outcome}`)}
        </span>
        <span className="text-soft">
          {t("broker.asked", { orders: comparison.ordersAsked, reports: comparison.reportsAdded })}
        </span>
      </p>
      {failure !== null && <p className="text-soft text-xs">{failure}</p>}
      {comparison.differences.map((difference, index) => (
        <DifferenceLine
          // biome-ignore lint/suspicious/noArrayIndexKey: a finished comparison never changes
          key={index}
          difference={difference}
        />
      ))}
    </li>
  );
}

/** What differs, and what either side says of it. */
function DifferenceLine({ difference }: { difference: Reconciliation["differences"][number] }) {
  const { t } = useTranslation();
  const [ours, theirs] = differenceSides(difference);
  return (
    <p className="text-xs">
      {differenceWord(difference.kind)} {difference.commodity}: {t("broker.ours")} {ours} ·{" "}
      {t("broker.theirs")} {theirs}
    </p>
  );
}
