import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Incident } from "@/lib/api/types";
import { formatTime } from "@/lib/format";
import { incidentSentence } from "@/lib/i18n/incident-sentences";
import { incidentWord, problemSentence } from "@/lib/i18n/sentences";
import { queryKeys } from "@/lib/query-keys";
import { showToast } from "@/lib/toasts";
import { Button } from "@/lib/ui/button";
import { Field } from "@/lib/ui/field";
import { LoadFailure } from "@/lib/ui/notice";
import { acknowledge, incidentsQuery } from "../api/broker";

const NOTE_LENGTH_MAX = 500;

interface Props {
  accountId: string;
  /** The order that an incident is about, with what can be done about it. */
  orderOf: (incident: Incident) => ReactNode;
}

/** What a person must look at in an account, until somebody says to have seen it. */
export function Incidents({ accountId, orderOf }: Props) {
  const { t } = useTranslation();
  const incidents = useQuery(incidentsQuery);
  if (incidents.data === undefined) {
    if (!incidents.isError) return null;
    const what = t("broker.incidents");
    return <LoadFailure what={what} failure={incidents.error} onRetry={() => incidents.refetch()} />;
  }
  const own = incidents.data.filter((incident) => incident.accountId === accountId);
  if (own.length === 0) return null;
  return (
    <section aria-label={t("broker.incidents")} className="rounded-md bg-warn-wash p-3">
      <h3 className="mb-1 font-semibold text-[13px] text-warn">{t("broker.incidents")}</h3>
      <ul className="space-y-2">
        {own.map((incident) => (
          <IncidentRow key={incident.id} incident={incident}>
            {orderOf(incident)}
          </IncidentRow>
        ))}
      </ul>
    </section>
  );
}

function IncidentRow({ incident, children }: { incident: Incident; children: ReactNode }) {
  const { t, i18n } = useTranslation();
  const queries = useQueryClient();
  const [note, setNote] = useState("");
  const seeing = useMutation({
    mutationFn: () => acknowledge(incident.id, note.trim()),
    onSuccess: () => queries.invalidateQueries({ queryKey: queryKeys.incidents }),
    onError: (failure) => showToast({ tone: "bad", title: problemSentence(failure) }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    seeing.mutate();
  };
  return (
    <li className="text-[13px]">
      <p>
        <span className="text-soft">{formatTime(incident.occurredAt, i18n.language, true)}</span>{" "}
        <strong className="font-medium">{incidentWord(incident.kind)}</strong>
      </p>
      <p className="break-words text-soft text-xs">{incidentSentence(incident)}</p>
      {children}
      <form onSubmit={submit} className="mt-1 flex items-end gap-2">
        <Field
          label={t("broker.note")}
          className="flex-1"
          value={note}
          maxLength={NOTE_LENGTH_MAX}
          onChange={(event) => setNote(event.target.value)}
        />
        <Button type="submit" disabled={seeing.isPending}>
          {t("broker.seen")}
        </Button>
      </form>
    </li>
  );
}
