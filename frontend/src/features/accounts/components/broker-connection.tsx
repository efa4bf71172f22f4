import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Account, Connection } from "@/lib/api/types";
import { formatTime } from "@/lib/format";
import { Button } from "@/lib/ui/button";
import { LoadFailure, Notice } from "@/lib/ui/notice";
import { connectionQuery } from "../api/connection";
import { BrokerKeyForm } from "./broker-key-form";

/** What each state is called and what to do in it; the tone says whether somebody has to. */
const STATES = {
  connected: "plain",
  connecting: "plain",
  down: "warn",
  key_missing: "warn",
  key_wrong: "bad",
  key_expired: "bad",
  key_revoked: "bad",
  account_changed: "bad",
} as const;
type State = keyof typeof STATES;

const stateOf = ({ state }: Connection): State | undefined =>
  (Object.keys(STATES) as State[]).find((known) => known === state);

/** How the way to a broker outside of this house is, and the key that opens it. */
export function BrokerConnection({ account }: { account: Account }) {
  const { t } = useTranslation();
  const connection = useQuery(connectionQuery(account.id));
  const [changing, setChanging] = useState(false);
  if (connection.isError)
    return <LoadFailure failure={connection.error} onRetry={() => connection.refetch()} />;
  if (connection.data === undefined) return null;
  const wantsKey = connection.data.state.startsWith("key_") || connection.data.state === "account_changed";
  return (
    <section className="space-y-2" aria-label={t("connection.title")}>
      <h3 className="font-semibold text-[13px]">{t("connection.title")}</h3>
      <ConnectionState connection={connection.data} />
      {wantsKey || changing ? (
        <BrokerKeyForm account={account} onDone={() => setChanging(false)} />
      ) : (
        <Button size="small" onClick={() => setChanging(true)}>
          {t("connection.another")}
        </Button>
      )}
    </section>
  );
}

function ConnectionState({ connection }: { connection: Connection }) {
  const { t, i18n } = useTranslation();
  const state = stateOf(connection);
  const moments = (["since", "heardAt", "readAt"] as const).flatMap((moment) => {
    const at = connection[moment];
    return at == null ? [] : [`${t(`connection.${moment}`)} ${formatTime(at, i18n.language, true)}`];
  });
  return (
    <Notice tone={state === undefined ? "warn" : STATES[state]}>
      <p>
        <strong data-testid="connection-state">
          {state === undefined ? connection.state : t(`connection.state.${state}`)}
        </strong>{" "}
        {state !== undefined && t(`connection.hint.${state}`)}
      </p>
      {connection.detail != null && state !== "connected" && (
        <p className="mt-1 break-words text-xs">
          {t("connection.detail")} {connection.detail}
        </p>
      )}
      {moments.length > 0 && <p className="mt-1 text-xs">{moments.join(" · ")}</p>}
    </Notice>
  );
}
