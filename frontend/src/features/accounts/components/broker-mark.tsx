import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useEventsReady } from "@/lib/events-status";
import { formatTime } from "@/lib/format";
import { BROKER_FIRST_LOOK_MS, BROKER_LOOK_MS } from "@/lib/limits";
import { comparisonsQuery, incidentsQuery } from "../api/broker";

const WORDS = { agreed: "brokerAgrees", differed: "brokerDiffers", failed: "brokerSilent" } as const;

/** Whether the broker says the same as our books, and how much waits to be looked at. */
export function BrokerMark({ accountId }: { accountId: string }) {
  const { t, i18n } = useTranslation();
  const ready = useEventsReady();
  const comparisons = useQuery({
    ...comparisonsQuery(accountId),
    // A new account is compared within seconds.
    refetchInterval: ({ state }) => (state.data?.length ? BROKER_LOOK_MS : BROKER_FIRST_LOOK_MS),
    enabled: ready,
  });
  const incidents = useQuery({ ...incidentsQuery, enabled: ready });
  const latest = comparisons.data?.[0];
  const outcome = (Object.keys(WORDS) as (keyof typeof WORDS)[]).find((known) => known === latest?.outcome);
  const waiting = incidents.data?.length ?? 0;
  return (
    <>
      {latest !== undefined && outcome !== undefined && (
        <span
          title={t("status.brokerHelp", { time: formatTime(latest.endedAt, i18n.language) })}
          className="inline-flex items-center gap-1.5 whitespace-nowrap max-lg:hidden"
        >
          <span
            aria-hidden="true"
            className={`size-2 rounded-full ${outcome === "agreed" ? "bg-accent" : "bg-warn"}`}
          />
          <span className="text-soft">{t("status.broker")}</span>
          <span data-testid="broker-state">{t(`status.${WORDS[outcome]}`)}</span>
        </span>
      )}
      {waiting > 0 && (
        <Link to="/accounts" className="whitespace-nowrap rounded bg-warn-wash px-1.5 py-0.5 text-warn">
          {t("status.incidents", { count: waiting })}
        </Link>
      )}
    </>
  );
}
