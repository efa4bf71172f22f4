import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { fieldRefusal, restSentence } from "@/lib/i18n/sentences";
import { showToast } from "@/lib/toasts";
import { Button } from "@/lib/ui/button";
import { Field } from "@/lib/ui/field";
import { Notice } from "@/lib/ui/notice";
import { beginTwoFactor, confirmTwoFactor, disableTwoFactor } from "../api/two-factor";

const COPIED_MS = 2_000;

/** Switches two-factor login on or off; either ends with signing in anew. */
export function TwoFactor({ enabled }: { enabled: boolean }) {
  return enabled ? <TurnOff /> : <TurnOn />;
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

/** The clipboard exists only on secure pages; elsewhere the key is marked and copied by hand. */
function CopyButton({ text }: { text: string }) {
  const { t } = useTranslation();
  const [copied, setCopied] = useState(false);
  if (!("clipboard" in navigator)) return null;
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), COPIED_MS);
  };
  return (
    <Button size="small" onClick={() => void copy().catch(() => {})}>
      {t(copied ? "twoFactor.copied" : "twoFactor.copy")}
    </Button>
  );
}

function CodeField({ error }: { error: string | undefined }) {
  const { t } = useTranslation();
  return (
    <Field
      label={t("twoFactor.code")}
      name="code"
      inputMode="numeric"
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
  const rest = restSentence(disabling.error, ["password", "code"]);
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
      <CodeField error={fieldRefusal(disabling.error, "code")} />
      <p className="text-soft text-xs">{t("twoFactor.endsSessions")}</p>
      {rest !== null && <Notice tone="bad">{rest}</Notice>}
      <Button type="submit" look="primary" className="w-full" disabled={disabling.isPending}>
        {t("twoFactor.disable")}
      </Button>
    </form>
  );
}
