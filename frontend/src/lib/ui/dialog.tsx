import { type ReactNode, useEffect, useId, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "./button";

interface Props {
  title: string;
  onClose: () => void;
  /** For tables and histories. */
  wide?: boolean;
  children: ReactNode;
}

/** A modal window on the browser's own dialog: focus stays inside, Escape closes, focus returns. */
export function Dialog({ title, onClose, wide = false, children }: Props) {
  const { t } = useTranslation();
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    // The browser begins with the first button, which closes; what one came for is marked.
    element?.querySelector<HTMLElement>("[data-autofocus]")?.focus();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={titleId}
      onCancel={onClose}
      className={`${wide ? "w-[min(46rem,calc(100vw-1.5rem))]" : "w-[min(26rem,calc(100vw-2rem))]"} rounded-xl border border-line bg-panel p-5 text-text shadow-2xl max-sm:p-4`}
    >
      <div className="mb-4 flex items-center justify-between gap-4">
        <h2 id={titleId} className="font-semibold text-base">
          {title}
        </h2>
        <Button look="quiet" size="small" aria-label={t("app.close")} onClick={onClose}>
          <span aria-hidden="true">✕</span>
        </Button>
      </div>
      {children}
    </dialog>
  );
}
