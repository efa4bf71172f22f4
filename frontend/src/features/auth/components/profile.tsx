import { useMutation } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { ProblemError } from "@/lib/api/problem";
import type { User } from "@/lib/api/types";
import { fieldRefusal, restSentence } from "@/lib/i18n/sentences";
import { showToast } from "@/lib/toasts";
import { Button } from "@/lib/ui/button";
import { Field } from "@/lib/ui/field";
import { Notice } from "@/lib/ui/notice";
import { changePassword, saveDisplayName } from "../api/profile";
import { DISPLAY_NAME_LENGTH_MAX, PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN } from "../limits";

/** How the user is called, and the password. */
export function Profile({ user }: { user: User }) {
  return (
    <div className="space-y-5">
      <Name user={user} />
      <Password twoFactor={user.totpEnabled} />
    </div>
  );
}

const textOf = (form: FormData, name: string) => String(form.get(name) ?? "");

function Name({ user }: { user: User }) {
  const { t } = useTranslation();
  const saving = useMutation({
    mutationFn: saveDisplayName,
    onSuccess: () => showToast({ tone: "plain", title: t("profile.nameSaved") }),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    saving.mutate(textOf(new FormData(event.currentTarget), "displayName").trim());
  };
  const rest = restSentence(saving.error, ["displayName"]);
  return (
    <form onSubmit={submit} className="space-y-3">
      <p className="text-[13px] text-soft">{user.email}</p>
      <Field
        key={user.displayName}
        label={t("auth.displayName")}
        name="displayName"
        defaultValue={user.displayName ?? ""}
        autoComplete="name"
        maxLength={DISPLAY_NAME_LENGTH_MAX}
        error={fieldRefusal(saving.error, "displayName")}
      />
      {rest !== null && <Notice tone="bad">{rest}</Notice>}
      <Button type="submit" className="w-full" disabled={saving.isPending}>
        {t("profile.saveName")}
      </Button>
    </form>
  );
}

/** What the server says of the present password: here the email is not in question. */
function useCurrentRefusal(failure: unknown): string | undefined {
  const { t } = useTranslation();
  const wrong = failure instanceof ProblemError && failure.code === "invalid_credentials";
  return wrong ? t("profile.wrongPassword") : fieldRefusal(failure, "currentPassword");
}

function Password({ twoFactor }: { twoFactor: boolean }) {
  const { t } = useTranslation();
  const changing = useMutation({ mutationFn: changePassword });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const fields = new FormData(form);
    const change = {
      currentPassword: textOf(fields, "currentPassword"),
      newPassword: textOf(fields, "newPassword"),
      code: textOf(fields, "code").trim(),
    };
    // That it was done is told by an event, as it is in every other place where the user is signed in.
    changing.mutate(change, { onSuccess: () => form.reset() });
  };
  const current = useCurrentRefusal(changing.error);
  const code = fieldRefusal(changing.error, "code") ?? fieldRefusal(changing.error, "recoveryCode");
  const rest =
    current === undefined
      ? restSentence(changing.error, ["currentPassword", "newPassword", "code", "recoveryCode"])
      : null;
  return (
    <form onSubmit={submit} className="space-y-3 border-line border-t pt-4">
      <h3 className="font-semibold text-[13px]">{t("profile.newPasswordTitle")}</h3>
      <Field
        label={t("profile.currentPassword")}
        name="currentPassword"
        type="password"
        autoComplete="current-password"
        required
        error={current}
      />
      <Field
        label={t("profile.newPassword")}
        name="newPassword"
        type="password"
        autoComplete="new-password"
        required
        minLength={PASSWORD_LENGTH_MIN}
        maxLength={PASSWORD_LENGTH_MAX}
        hint={t("auth.passwordHint")}
        error={fieldRefusal(changing.error, "newPassword")}
      />
      {twoFactor && (
        <Field
          label={t("twoFactor.codeOrRecovery")}
          name="code"
          autoComplete="one-time-code"
          required
          error={code}
        />
      )}
      <p className="text-soft text-xs">{t("profile.endsOthers")}</p>
      {rest !== null && <Notice tone="bad">{rest}</Notice>}
      <Button type="submit" className="w-full" disabled={changing.isPending}>
        {t("profile.changePassword")}
      </Button>
    </form>
  );
}
