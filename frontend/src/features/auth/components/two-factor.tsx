import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { fieldRefusal, restSentence } from "@/lib/i18n/sentences";
import { showToast } from "@/lib/toasts";
import { Button } from "@/lib/ui/button";
import { Field } from "@/lib/ui/field";
import { LoadFailure, Notice } from "@/lib/ui/notice";
import { recoveryCodesLeft, replaceRecoveryCodes } from "../api/recovery-codes";
import { beginTwoFactor, confirmTwoFactor, disableTwoFactor } from "../api/two-factor";
import { CopyButton } from "./copy-button";
import { FreshRecoveryCodes } from "./recovery-codes";

const LEFT_KEY = ["recovery-codes-left"];

/** Switches two-factor login on or off; either ends with signing in anew. */
export function TwoFactor({ enabled }: { enabled: boolean }) {
  if (!enabled) return <TurnOn />;
  return (
    <div className="space-y-5">
      <FreshRecoveryCodes />
      <TurnOff />
      <RecoveryCodes />
    </div>
  );
}

function TurnOn() {
  const { t } = useTranslation();
  const beginning = useMutation({ mutationFn: beginTwoFactor });
  if (beginning.data !== undefined) return <Confirm {...beginning.data} />;
  const failed = restSentence(beginning.error, []);
  return (
    <div className="space-y-3">
      <p className="text-[13px] text-soft">{t("twoFactor.offHint")}</p>
      {failed !== null && <Notice tone="bad">{failed}</Notice>}
      <Button
        look="primary"
        className="w-full"
        disabled={beginning.isPending}
        onClick={() => beginning.mutate()}
      >
        {t("twoFactor.begin")}
      </Button>
    </div>
  );
}

/** A key in groups of four: it may have to be typed by hand. */
const inGroups = (secret: string) => secret.replace(/(.{4})(?=.)/g, "$1 ");

function Confirm({ secret, otpauthUri }: { secret: string; otpauthUri: string }) {
  const { t } = useTranslation();
  const confirming = useMutation({
    mutationFn: confirmTwoFactor,
    onSuccess: () => showToast({ tone: "good", title: t("twoFactor.nowOn") }),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    confirming.mutate(String(new FormData(event.currentTarget).get("code") ?? "").trim());
  };
  const rest = restSentence(confirming.error, ["code"]);
  return (
    <form onSubmit={submit} className="space-y-3">
      <div>
        <p className="mb-1 text-soft text-xs">{t("twoFactor.secret")}</p>
        <div className="flex items-center gap-2 rounded-md bg-raised px-2.5 py-2">
          <code data-testid="totp-secret" className="min-w-0 flex-1 break-words text-[13px]">
            {inGroups(secret)}
          </code>
          <CopyButton text={secret} />
        </div>
        <p className="mt-1 text-soft text-xs">
          {t("twoFactor.secretHint")}{" "}
          <a href={otpauthUri} className="text-accent underline">
            {t("twoFactor.openApp")}
          </a>
        </p>
      </div>
      <Notice tone="warn">{t("twoFactor.keepHint")}</Notice>
      <CodeField error={fieldRefusal(confirming.error, "code")} />
      <p className="text-soft text-xs">{t("twoFactor.endsSessions")}</p>
      {rest !== null && <Notice tone="bad">{rest}</Notice>}
      <Button type="submit" look="primary" className="w-full" disabled={confirming.isPending}>
        {t("twoFactor.confirm")}
      </Button>
    </form>
  );
}

function CodeField({ error, orRecovery = false }: { error: string | undefined; orRecovery?: boolean }) {
  const { t } = useTranslation();
  return (
    <Field
      label={t(orRecovery ? "twoFactor.codeOrRecovery" : "twoFactor.code")}
      name="code"
      {...(!orRecovery && { inputMode: "numeric" as const })}
      autoComplete="one-time-code"
      required
      error={error}
    />
  );
}

function TurnOff() {
  const { t } = useTranslation();
  const disabling = useMutation({
    mutationFn: ({ password, code }: { password: string; code: string }) => disableTwoFactor(password, code),
    onSuccess: () => showToast({ tone: "plain", title: t("twoFactor.nowOff") }),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    disabling.mutate({
      password: String(form.get("password") ?? ""),
      code: String(form.get("code") ?? "").trim(),
    });
  };
  const rest = restSentence(disabling.error, ["password", "code", "recoveryCode"]);
  const wrong = fieldRefusal(disabling.error, "code") ?? fieldRefusal(disabling.error, "recoveryCode");
  return (
    <form onSubmit={submit} className="space-y-3">
      <p className="text-[13px] text-soft">{t("twoFactor.onHint")}</p>
      <Field
        label={t("auth.password")}
        name="password"
        type="password"
        autoComplete="current-password"
        required
        error={fieldRefusal(disabling.error, "password")}
      />
      <CodeField error={wrong} orRecovery />
      <p className="text-soft text-xs">{t("twoFactor.endsSessions")}</p>
      {rest !== null && <Notice tone="bad">{rest}</Notice>}
      <Button type="submit" look="primary" className="w-full" disabled={disabling.isPending}>
        {t("twoFactor.disable")}
      </Button>
    </form>
  );
}

/** How many codes are left for whoever loses the app, and the way to other ones. */
function RecoveryCodes() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const left = useQuery({ queryKey: LEFT_KEY, queryFn: recoveryCodesLeft });
  const replacing = useMutation({
    mutationFn: ({ password, code }: { password: string; code: string }) =>
      replaceRecoveryCodes(password, code),
    onSuccess: () => queries.invalidateQueries({ queryKey: LEFT_KEY }),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const fields = new FormData(form);
    replacing.mutate(
      { password: String(fields.get("password") ?? ""), code: String(fields.get("code") ?? "").trim() },
      { onSuccess: () => form.reset() },
    );
  };
  const rest = restSentence(replacing.error, ["password", "code"]);
  return (
    <form onSubmit={submit} className="space-y-3 border-line border-t pt-4">
      <h3 className="font-semibold text-[13px]">{t("twoFactor.recoveryTitle")}</h3>
      {left.data === undefined && left.isError && (
        <LoadFailure failure={left.error} onRetry={() => left.refetch()} />
      )}
      {left.data !== undefined && (
        <p className="text-[13px] text-soft">{t("twoFactor.recoveryLeft", { number: left.data })}</p>
      )}
      <Field
        label={t("auth.password")}
        name="password"
        type="password"
        autoComplete="current-password"
        required
        error={fieldRefusal(replacing.error, "password")}
      />
      <CodeField error={fieldRefusal(replacing.error, "code")} />
      {rest !== null && <Notice tone="bad">{rest}</Notice>}
      <Button type="submit" className="w-full" disabled={replacing.isPending}>
        {t("twoFactor.recoveryReplace")}
      </Button>
    </form>
  );
}
