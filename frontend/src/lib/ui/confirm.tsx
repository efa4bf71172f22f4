import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { problemSentence } from "@/lib/i18n/sentences";
import { Button } from "./button";
import { Dialog } from "./dialog";
import { Notice } from "./notice";

interface Props {
  title: string;
  /** What the button says that does it. */
  action: string;
  /** For what cannot be taken back easily. */
  look?: "primary" | "sell" | "danger";
  /** Whether it is being done. */
  pending: boolean;
  /** Why it was not done, after it was tried. */
  failure: unknown;
  onConfirm: () => void;
  onClose: () => void;
  /** What will happen, in a sentence. */
  children: ReactNode;
}

/** Asks before something is done. What the server says against it stands in the same window, and it can be tried again. */
export function Confirm({
  title,
  action,
  look = "primary",
  pending,
  failure,
  onConfirm,
  onClose,
  children,
}: Props) {
  const { t } = useTranslation();
  return (
    <Dialog title={title} onClose={onClose}>
      <div className="space-y-3">
        <p className="text-[13px]">{children}</p>
        {failure !== null && <Notice tone="bad">{problemSentence(failure)}</Notice>}
        <div className="flex gap-2">
          <Button className="flex-1" onClick={onClose}>
            {t("app.back")}
          </Button>
          <Button look={look} className="flex-1" data-autofocus disabled={pending} onClick={onConfirm}>
            {action}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
