import { useTranslation } from "react-i18next";
import type { Position } from "@/lib/api/types";
import { askTicket } from "@/lib/ticket-wish";
import { Button } from "@/lib/ui/button";

interface Props {
  position: Position;
  /** Brings the ticket of its symbol onto the screen. */
  onShow: () => void;
}

/** The way out of shares sold short: a purchase of as many, written into the ticket. */
export function BuyBackButton({ position, onShow }: Props) {
  const { t } = useTranslation();
  const { symbol, quantity } = position;
  const write = () => {
    askTicket({ symbol, side: "buy", quantity: quantity.replace("-", "") });
    onShow();
  };
  return (
    <Button size="small" aria-label={t("portfolio.buyBackLabel", { symbol })} onClick={write}>
      {t("portfolio.buyBack")}
    </Button>
  );
}
