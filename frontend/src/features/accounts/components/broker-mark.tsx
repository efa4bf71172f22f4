import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Account } from "@/lib/api/types";
import { useEventsReady } from "@/lib/events-status";
import { formatTime } from "@/lib/format";
import { problemSentence } from "@/lib/i18n/sentences";
import { BROKER_FIRST_LOOK_MS, BROKER_LOOK_MS } from "@/lib/limits";
import { setPreferences } from "@/lib/preferences";
import { comparisonsQuery, incidentsQuery } from "../api/broker";
import { connectionQuery } from "../api/connection";
import { brokerSign } from "../hooks/broker-sign";
import { useAccounts } from "../hooks/use-account";

const DOTS = { good: "bg-accent", warn: "bg-warn", off: "bg-soft" };

/** Whether the broker is there and says the same as our books, and how much waits to be looked at. */
export function BrokerMark({ accountId }: { accountId: string }) {
  const account = useAccounts().data?.find(({ id }) => id === accountId);
  return (
    <>
      {account !== undefined && <Sign account={account} />}
      <ToLookAt accountId={accountId} />
    </>
  );
}

function Sign({ account }: { account: Account }) {
  const { t, i18n } = useTranslation();
  const ready = useEventsReady();
  const comparisons = useQuery({
    ...comparisonsQuery(account.id),
    // A new account is compared within seconds.
    refetchInterval: ({ state }) => (state.data?.length ? BROKER_LOOK_MS : BROKER_FIRST_LOOK_MS),
    enabled: ready,
  });
  const isElsewhere = account.broker !== "simulator";
  const way = useQuery({
    ...connectionQuery(account.id),
    refetchInterval: BROKER_LOOK_MS,
    enabled: ready && isElsewhere,
  });
  const missing = [comparisons, ...(isElsewhere ? [way] : [])].filter(({ data }) => data === undefined);
  const failure = missing.find(({ isError }) => isError)?.error;
  if (failure != null) return <Mark tone="warn" title={problemSentence(failure)} word="brokerUnknown" />;
  if (missing.length > 0) return null;
  const latest = comparisons.data?.[0];
  const title =
    latest === undefined
      ? undefined
      : t("status.brokerHelp", { time: formatTime(latest.endedAt, i18n.language) });
  return <Mark {...brokerSign(way.data?.state, latest?.outcome)} title={title} />;
}

interface MarkProps {
  tone: keyof typeof DOTS;
  title: string | undefined;
  word: ReturnType<typeof brokerSign>["word"] | "brokerUnknown";
}

function Mark({ tone, title, word }: MarkProps) {
  const { t } = useTranslation();
  return (
    <span title={title} className="inline-flex items-center gap-1.5 whitespace-nowrap">
      <span aria-hidden="true" className={`size-2 rounded-full ${DOTS[tone]}`} />
      <span className="text-soft">{t("status.broker")}</span>
      <span data-testid="broker-state">{t(`status.${word}`)}</span>
    </span>
  );
}

/** What waits in all accounts to be looked at; that it is not known is said as well. */
function ToLookAt({ accountId }: { accountId: string }) {
  const { t } = useTranslation();
  const ready = useEventsReady();
  const incidents = useQuery({ ...incidentsQuery, enabled: ready });
  const waiting = incidents.data?.length ?? 0;
  const isUnknown = incidents.data === undefined && incidents.isError;
  if (waiting === 0 && !isUnknown) return null;
  // They stand with their account's broker: with another one's where the chosen account has none.
  const own = incidents.data?.some((incident) => incident.accountId === accountId);
  const account = own ? accountId : incidents.data?.find((incident) => incident.accountId != null)?.accountId;
  return (
    <Link
      to="/accounts"
      search={{ part: "broker" }}
      onClick={() => account != null && setPreferences({ accountId: account })}
      className="rounded bg-warn-wash px-1.5 py-0.5 text-warn"
    >
      {isUnknown ? t("status.incidentsFailed") : t("status.incidents", { count: waiting })}
    </Link>
  );
}
