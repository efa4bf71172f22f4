import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { ProblemError } from "@/lib/api/problem";
import { currentLanguage } from "@/lib/i18n/load";
import { fieldRefusal, restSentence } from "@/lib/i18n/sentences";
import { Button } from "@/lib/ui/button";
import { Field } from "@/lib/ui/field";
import { Notice } from "@/lib/ui/notice";
import { registrationIsOpen, signIn, signUp, useUntoldEnd } from "../api/auth";
import { secondFactor } from "../api/recovery-codes";
import { DISPLAY_NAME_LENGTH_MAX, PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN } from "../limits";
import { FreshRecoveryCodes } from "./recovery-codes";

/** The fields of the form that say themselves what is wrong with them. */
const FIELDS = ["email", "password", "displayName"];

function needsCode(failure: unknown): boolean {
  return (
    failure instanceof ProblemError &&
    (["totp_required", "invalid_totp_code", "invalid_recovery_code"].includes(failure.code) ||
      failure.fields.some(({ field }) => field === "totpCode" || field === "recoveryCode"))
  );
}

/** Signing in and signing up. */
export function Welcome() {
  const { t } = useTranslation();
  return (
    <main className="mx-auto grid w-full max-w-5xl flex-1 items-center gap-10 px-5 py-8 md:grid-cols-2">
      <div className="max-md:text-center">
        <img src="/favicon.svg" alt="" width="56" height="56" className="mb-5 max-md:mx-auto" />
        <h1 className="text-balance font-semibold text-2xl leading-snug md:text-3xl">
          {t("auth.introTitle")}
        </h1>
        <ul className="mt-5 space-y-2 text-soft max-md:hidden">
          {[t("auth.introFirst"), t("auth.introSecond"), t("auth.introThird")].map((line) => (
            <li key={line} className="flex gap-2.5">
              <span aria-hidden="true" className="text-accent">
                —
              </span>
              {line}
            </li>
          ))}
        </ul>
      </div>
      <div>
        <FreshRecoveryCodes />
        <UntoldEnd />
        <EntryForm />
      </div>
    </main>
  );
}

/** Whoever leaves a shared computer must know that its session still lives. */
function UntoldEnd() {
  const { t } = useTranslation();
  const untold = useUntoldEnd();
  return (
    untold && (
      <div className="mb-4">
        <Notice tone="warn">{t("auth.untoldEnd")}</Notice>
      </div>
    )
  );
}

function EntryForm() {
  const { t } = useTranslation();
  const [mode, setMode] = useState<"signIn" | "signUp">("signIn");
  const registration = useQuery({ queryKey: ["registration"], queryFn: registrationIsOpen });
  const entry = useMutation({
    // On a phone the form may have been scrolled to; the desk begins at its top.
    onSuccess: () => window.scrollTo(0, 0),
    mutationFn: (form: FormData) => {
      const text = (name: string) => String(form.get(name) ?? "");
      const credentials = { email: text("email").trim(), password: text("password") };
      if (mode === "signIn") {
        const typed = text("totpCode").trim();
        return signIn({ ...credentials, ...(typed !== "" && secondFactor(typed, "totpCode")) });
      }
      const displayName = text("displayName").trim();
      return signUp({
        ...credentials,
        language: currentLanguage(),
        ...(displayName !== "" && { displayName }),
      });
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    entry.mutate(new FormData(event.currentTarget));
  };
  const switchMode = () => {
    entry.reset();
    setMode(mode === "signIn" ? "signUp" : "signIn");
  };
  const fresh = mode === "signUp";
  const rest = restSentence(entry.error, fresh ? FIELDS : ["email", "password"]);
  return (
    <form onSubmit={submit} className="space-y-4 rounded-xl border border-line bg-panel p-6 shadow-sm">
      <h2 className="font-semibold text-lg">{t(fresh ? "auth.signUp" : "auth.signIn")}</h2>
      <Field
        label={t("auth.email")}
        name="email"
        type="email"
        autoComplete="username"
        required
        error={fieldRefusal(entry.error, "email")}
      />
      <Field
        label={t("auth.password")}
        name="password"
        type="password"
        autoComplete={fresh ? "new-password" : "current-password"}
        required
        minLength={fresh ? PASSWORD_LENGTH_MIN : undefined}
        maxLength={PASSWORD_LENGTH_MAX}
        hint={fresh ? t("auth.passwordHint") : undefined}
        error={fieldRefusal(entry.error, "password")}
      />
      {fresh && (
        <Field
          label={t("auth.displayName")}
          name="displayName"
          autoComplete="name"
          maxLength={DISPLAY_NAME_LENGTH_MAX}
          error={fieldRefusal(entry.error, "displayName")}
        />
      )}
      {!fresh && needsCode(entry.error) && (
        <Field label={t("auth.totpCode")} name="totpCode" autoComplete="one-time-code" required autoFocus />
      )}
      {rest !== null && <Notice tone="bad">{rest}</Notice>}
      <Button type="submit" look="primary" size="large" className="w-full" disabled={entry.isPending}>
        {entry.isPending ? t("auth.submitting") : t(fresh ? "auth.signUp" : "auth.signIn")}
      </Button>
      {(fresh || registration.data !== false) && (
        <Button look="quiet" className="w-full" onClick={switchMode}>
          {t(fresh ? "auth.toSignIn" : "auth.toSignUp")}
        </Button>
      )}
    </form>
  );
}
