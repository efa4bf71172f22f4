import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Account, BrokerKey } from "@/lib/api/types";
import { useCapabilities } from "@/lib/capabilities";
import { fieldRefusal, restSentence } from "@/lib/i18n/sentences";
import { queryKeys } from "@/lib/query-keys";
import { showToast } from "@/lib/toasts";
import { Button } from "@/lib/ui/button";
import { Field } from "@/lib/ui/field";
import { Notice } from "@/lib/ui/notice";
import { Segmented } from "@/lib/ui/segmented";
import { enterKey } from "../api/connection";

type Environment = BrokerKey["environment"];

interface Props {
  account: Account;
  onDone: () => void;
}

/** Takes the key of a broker's. Its parts stay in this form until the server has them, and nowhere after. */
export function BrokerKeyForm({ account, onDone }: Props) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const capabilities = useCapabilities(account.id);
  const [environment, setEnvironment] = useState<Environment>("paper");
  const [keyId, setKeyId] = useState("");
  const [secretKey, setSecretKey] = useState("");
  const [agreed, setAgreed] = useState(false);
  const entering = useMutation({
    mutationFn: () => enterKey(account.id, { environment, keyId: keyId.trim(), secretKey: secretKey.trim() }),
    onSuccess: (connection) => {
      queries.setQueryData(queryKeys.connection(account.id), connection);
      // What the account holds at the broker is in the books now.
      for (const queryKey of [queryKeys.balance(account.id), queryKeys.holdings(account.id)])
        void queries.invalidateQueries({ queryKey });
      setKeyId("");
      setSecretKey("");
      showToast({ tone: "good", title: t("connection.entered") });
      onDone();
    },
  });
  const isReal = environment === "live";
  const isReady = keyId.trim() !== "" && secretKey.trim() !== "" && (!isReal || agreed);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isReady && !entering.isPending) entering.mutate();
  };
  const rest = restSentence(entering.error, ["keyId", "secretKey"]);
  return (
    <form onSubmit={submit} className="max-w-md space-y-3" noValidate>
      <p className="text-soft text-xs">{t("connection.keyHint")}</p>
      {capabilities?.realMoney === true && (
        <Segmented
          legend={t("connection.environment")}
          value={environment}
          onChange={(chosen) => {
            setEnvironment(chosen);
            setAgreed(false);
          }}
          options={[
            { value: "paper", label: t("connection.paper") },
            { value: "live", label: t("connection.live") },
          ]}
        />
      )}
      <Field
        label={t("connection.keyId")}
        value={keyId}
        onChange={(event) => setKeyId(event.target.value)}
        autoComplete="off"
        spellCheck={false}
        error={fieldRefusal(entering.error, "keyId")}
      />
      <Field
        label={t("connection.secretKey")}
        type="password"
        value={secretKey}
        onChange={(event) => setSecretKey(event.target.value)}
        autoComplete="off"
        error={fieldRefusal(entering.error, "secretKey")}
      />
      {isReal && (
        <Notice tone="warn">
          <label className="flex items-start gap-2">
            <input
              type="checkbox"
              className="mt-1"
              checked={agreed}
              onChange={(event) => setAgreed(event.target.checked)}
            />
            {t("connection.agree")}
          </label>
        </Notice>
      )}
      {rest !== null && <Notice tone="bad">{rest}</Notice>}
      <Button type="submit" look="primary" disabled={!isReady || entering.isPending}>
        {t(entering.isPending ? "connection.entering" : "connection.enter")}
      </Button>
    </form>
  );
}
