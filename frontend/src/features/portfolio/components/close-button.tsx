import { useMutation } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Position } from "@/lib/api/types";
import { formatQuantity } from "@/lib/format";
import { problemSentence } from "@/lib/i18n/sentences";
import { randomUuid } from "@/lib/random";
import { showToast } from "@/lib/toasts";
import { Button } from "@/lib/ui/button";
import { Dialog } from "@/lib/ui/dialog";
import { Notice } from "@/lib/ui/notice";
import { closePosition } from "../api/portfolio";

/** Sells everything of a symbol at the market, after a look. */
export function CloseButton({ position }: { position: Position }) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button
        size="small"
        aria-label={t("portfolio.closeLabel", { symbol: position.symbol })}
        onClick={() => setAsking(true)}
      >
        {t("portfolio.close")}
      </Button>
      {asking && <Ask position={position} onClose={() => setAsking(false)} />}
    </>
  );
}

function Ask({ position, onClose }: { position: Position; onClose: () => void }) {
  const { t } = useTranslation();
  const { accountId, symbol, quantity } = position;
  const key = useRef(randomUuid());
  const closing = useMutation({
    mutationFn: () => closePosition(accountId, symbol, key.current),
    onSuccess: () => {
      showToast({ tone: "plain", title: t("portfolio.closing", { symbol }) });
      onClose();
    },
  });
  return (
    <Dialog title={t("portfolio.closeLabel", { symbol })} onClose={onClose}>
      <div className="space-y-3">
        <p className="text-[13px]">
          {t("portfolio.closeAsk", { quantity: formatQuantity(quantity), symbol })}
        </p>
        {closing.isError && <Notice tone="bad">{problemSentence(closing.error)}</Notice>}
        <div className="flex gap-2">
          <Button className="flex-1" onClick={onClose}>
            {t("ticket.back")}
          </Button>
          <Button
            look="sell"
            className="flex-1"
            data-autofocus
            disabled={closing.isPending}
            onClick={() => closing.mutate()}
          >
            {t("portfolio.close")}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
