import { useMutation } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Position } from "@/lib/api/types";
import { formatQuantity } from "@/lib/format";
import { randomUuid } from "@/lib/random";
import { showToast } from "@/lib/toasts";
import { Button } from "@/lib/ui/button";
import { Confirm } from "@/lib/ui/confirm";
import { closePosition } from "../api/portfolio";

/** Sells everything of a symbol at the market, or buys it back where it was sold short, after a look. */
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
  const isShort = quantity.startsWith("-");
  const key = useRef(randomUuid());
  const closing = useMutation({
    mutationFn: () => closePosition(accountId, symbol, key.current),
    onSuccess: () => {
      showToast({ tone: "plain", title: t("portfolio.closing", { symbol }) });
      onClose();
    },
  });
  return (
    <Confirm
      title={t("portfolio.closeLabel", { symbol })}
      action={t("portfolio.close")}
      look={isShort ? "primary" : "sell"}
      pending={closing.isPending}
      failure={closing.error}
      onConfirm={closing.mutate}
      onClose={onClose}
    >
      {t(isShort ? "portfolio.coverAsk" : "portfolio.closeAsk", {
        quantity: formatQuantity(quantity.replace("-", "")),
        symbol,
      })}
    </Confirm>
  );
}
