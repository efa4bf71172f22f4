import { Popover } from "@base-ui/react/popover";
import { Suspense } from "react";
import { useTranslation } from "react-i18next";
import type { PopoverProps } from "./popover";

/** A small window beside what opened it: Escape, a click elsewhere and its own button close it, and the focus returns. */
export default function PopoverWindow({
  anchor,
  title,
  titleHidden = false,
  onClose,
  children,
}: PopoverProps) {
  const { t } = useTranslation();
  return (
    <Popover.Root
      open
      onOpenChange={(open, { event }) => {
        // What opened it closes it by its own click.
        const isAnchor = event.target instanceof Node && anchor.current?.contains(event.target);
        if (!open && !(isAnchor && event.type !== "keydown")) onClose();
      }}
    >
      <Popover.Portal>
        <Popover.Positioner anchor={anchor} sideOffset={6} collisionPadding={8} className="z-40">
          <Popover.Popup
            finalFocus={anchor}
            className="max-h-[min(28rem,var(--available-height))] w-max max-w-[min(24rem,var(--available-width))] overflow-y-auto rounded-lg border border-line bg-panel p-3 text-text text-xs shadow-xl"
          >
            <div className={titleHidden ? "sr-only" : "flex items-start justify-between gap-3"}>
              <Popover.Title className="font-semibold text-[13px]">{title}</Popover.Title>
              <Popover.Close
                aria-label={t("app.close")}
                className="-mt-1 -mr-1 rounded px-1.5 py-0.5 text-soft hover:text-text"
              >
                <span aria-hidden="true">✕</span>
              </Popover.Close>
            </div>
            <Suspense fallback={<p className="mt-2">{t("app.loading")}</p>}>{children}</Suspense>
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
}
