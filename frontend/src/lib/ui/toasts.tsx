import { useTranslation } from "react-i18next";
import { dismissToast, type ToastTone, useToasts } from "@/lib/toasts";
import { Button } from "./button";

const EDGE: Record<ToastTone, string> = {
  good: "border-l-accent",
  bad: "border-l-bad",
  plain: "border-l-soft",
};

/**
 * Notices that pass; read out by screen readers as they come. On a phone only the newest is seen, over the page's head and
 * not over a form, and a finger goes through it to what is below.
 */
export function Toasts() {
  const { t } = useTranslation();
  const toasts = useToasts((state) => state.toasts);
  return (
    <div
      role="status"
      aria-live="polite"
      className="pointer-events-none fixed inset-x-0 top-2 z-50 flex flex-col items-center gap-2 px-3 md:inset-x-auto md:top-auto md:bottom-3 md:left-3 md:items-start"
    >
      {toasts.map((toast) => (
        <div
          key={toast.id}
          className={`appear flex w-full max-w-sm max-md:not-last:hidden md:pointer-events-auto md:w-64 items-start gap-3 rounded-lg border border-line border-l-4 bg-panel py-2.5 pr-2 pl-3 shadow-lg ${EDGE[toast.tone]}`}
        >
          <div className="min-w-0 flex-1">
            <p className="font-medium">{toast.title}</p>
            {toast.detail !== undefined && <p className="text-soft text-xs">{toast.detail}</p>}
          </div>
          {toast.undo !== undefined && <Undo id={toast.id} undo={toast.undo} />}
          <button
            type="button"
            aria-label={t("app.close")}
            className="pointer-events-auto rounded px-1.5 text-soft hover:text-text"
            onClick={() => dismissToast(toast.id)}
          >
            <span aria-hidden="true">✕</span>
          </button>
        </div>
      ))}
    </div>
  );
}

function Undo({ id, undo }: { id: number; undo: () => void }) {
  const { t } = useTranslation();
  const takeBack = () => {
    undo();
    dismissToast(id);
  };
  return (
    <Button size="small" className="pointer-events-auto" onClick={takeBack}>
      {t("app.undo")}
    </Button>
  );
}
