import { useState } from "react";
import { useTranslation } from "react-i18next";
import { currencyOf } from "@/lib/currency";
import { orderBooks, quotes, useQuotesStatus } from "@/lib/quotes/socket";
import { usePresence, useQuotesText } from "@/lib/quotes/use-quote";
import { Empty, Panel } from "@/lib/ui/panel";
import { PriceKindMark } from "@/lib/ui/price-kind-mark";
import { Segmented } from "@/lib/ui/segmented";
import { LastTrades } from "./last-trades";
import { OrderBook } from "./order-book";

type Part = "book" | "trades";

/**
 * What lies behind the price of a share: its order book and its last trades. Which of them there are depends on the
 * source; a book comes first.
 */
export function Depth({ symbol, className }: { symbol: string; className?: string }) {
  const { t } = useTranslation();
  const hasBook = usePresence(orderBooks, symbol);
  const [chosen, setChosen] = useState<Part>("book");
  const stale = useQuotesStatus((state) => state.status !== "open");
  const simulated = useQuotesText([symbol], () => String(quotes.get(symbol)?.simulated ?? false)) === "true";
  const part = hasBook ? chosen : "trades";
  return (
    <Panel
      title={t(part === "book" ? "market.book" : "market.trades")}
      actions={
        <>
          {simulated && <PriceKindMark kind="simulated" />}
          {hasBook && (
            <Segmented
              legend={t("market.depth")}
              legendHidden
              size="small"
              value={chosen}
              onChange={setChosen}
              options={[
                { value: "book", label: t("market.bookShort") },
                { value: "trades", label: t("market.tradesShort") },
              ]}
            />
          )}
        </>
      }
      id="depth"
      className={`h-64 ${className ?? ""}`}
    >
      <section
        aria-label={t("market.depth")}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must scroll by keys as well
        tabIndex={0}
        className={`min-h-0 flex-1 overflow-y-auto ${stale ? "opacity-45" : ""}`}
      >
        {part === "book" ? (
          <OrderBook symbol={symbol} />
        ) : (
          <LastTrades
            symbol={symbol}
            currency={currencyOf(symbol)}
            none={<Empty>{t("market.noTrades")}</Empty>}
          />
        )}
      </section>
    </Panel>
  );
}
