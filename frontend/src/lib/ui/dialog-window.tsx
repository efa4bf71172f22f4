import { Dialog } from "@base-ui/react/dialog";
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "./button";
import type { DialogProps } from "./dialog";

/**
 * A modal window: focus stays inside and returns, Escape closes. A click beside it does not: what was typed would be lost. Notices and
 * small windows stand over it.
 */
export default function DialogWindow({ title, onClose, wide = false, children }: DialogProps) {
  const { t } = useTranslation();
  const popup = useRef<HTMLDivElement>(null);
  // The library begins with the first button, which closes; what one came for is marked.
  const firstFocus = () => popup.current?.querySelector<HTMLElement>("[data-autofocus]") ?? true;
  return (
    <Dialog.Root open disablePointerDismissal onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-30 bg-black/45" />
        <Dialog.Popup
          ref={popup}
          initialFocus={firstFocus}
          className={`${wide ? "w-[min(46rem,calc(100vw-1.5rem))]" : "w-[min(26rem,calc(100vw-2rem))]"} -translate-x-1/2 -translate-y-1/2 fixed top-1/2 left-1/2 z-30 max-h-[calc(100dvh-2rem)] overflow-y-auto rounded-xl border border-line bg-panel p-5 text-text shadow-2xl max-sm:p-4`}
        >
          <div className="mb-4 flex items-center justify-between gap-4">
            <Dialog.Title className="font-semibold text-base">{title}</Dialog.Title>
            <Dialog.Close render={<Button look="quiet" size="small" aria-label={t("app.close")} />}>
              <span aria-hidden="true">✕</span>
            </Dialog.Close>
          </div>
          {children}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
