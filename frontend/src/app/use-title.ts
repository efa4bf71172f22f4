import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { formatPercent, formatPrice } from "@/lib/format";
import { TITLE_INTERVAL_MS } from "@/lib/limits";
import { quotes, useQuotesStatus } from "@/lib/quotes/socket";

/** The tab's title tells the price of the share that is looked at, while prices arrive: an old one would look live there. */
export function useTitle(symbol: string | null): void {
  const { t } = useTranslation();
  const isOpen = useQuotesStatus((state) => state.status === "open");
  const name = t("app.name");
  useEffect(() => {
    document.title = name;
    if (symbol === null || !isOpen) return;
    const write = () => {
      const quote = quotes.get(symbol);
      if (quote === undefined) return;
      const change = quote.changePercent === null ? "" : ` ${formatPercent(quote.changePercent)}`;
      document.title = `${symbol} ${formatPrice(quote.price, quote.currency)}${change} · ${name}`;
    };
    // A tab in the background draws nothing, so nobody tells it of prices: it looks by itself.
    const timer = setInterval(write, TITLE_INTERVAL_MS);
    return () => {
      clearInterval(timer);
      document.title = name;
    };
  }, [symbol, isOpen, name]);
}
