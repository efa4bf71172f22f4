import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { problemSentence } from "@/lib/i18n/sentences";
import { Button } from "./button";

const LOOKS = { warn: "bg-warn-wash text-warn", bad: "bg-bad-wash text-bad", plain: "bg-raised text-soft" };

export function Notice({ tone = "plain", children }: { tone?: keyof typeof LOOKS; children: ReactNode }) {
  return (
    <div
      role={tone === "bad" ? "alert" : "status"}
      className={`rounded-md px-3 py-2 text-[13px] ${LOOKS[tone]}`}
    >
      {children}
    </div>
  );
}

interface FailureProps {
  /** What is missing, where the place does not say it. */
  what?: string;
  failure: unknown;
  onRetry: () => void;
}

/** A room, or a part of one, that could not be loaded: what happened, and the way on. */
export function LoadFailure({ what, failure, onRetry }: FailureProps) {
  const { t } = useTranslation();
  return (
    <div role="alert" className="flex flex-col items-center gap-2 px-4 py-6 text-center text-sm">
      <p className="text-bad">
        {what !== undefined && `${what}: `}
        {t("app.failed")} {problemSentence(failure)}
      </p>
      <Button size="small" onClick={onRetry}>
        {t("app.retry")}
      </Button>
    </div>
  );
}
