import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ClosedOrders } from "@/features/orders/components/closed-orders";
import { Fills } from "@/features/orders/components/fills";
import { OpenOrders, useOpenOrderCount } from "@/features/orders/components/open-orders";
import { Positions } from "@/features/portfolio/components/positions";
import { Tabs } from "@/lib/ui/tabs";

type Book = "positions" | "open" | "closed" | "fills";

/** What the account holds, what it has ordered, and what became of it. */
export function Books({ accountId, className = "" }: { accountId: string; className?: string }) {
  const { t } = useTranslation();
  const [book, setBook] = useState<Book>("positions");
  const openCount = useOpenOrderCount(accountId);
  const openLabel = openCount === 0 ? t("orders.open") : `${t("orders.open")} (${openCount})`;
  return (
    <section
      id="books"
      className={`flex min-h-0 min-w-0 flex-col rounded-lg border border-line bg-panel ${className}`}
      aria-label={t("orders.title")}
    >
      <Tabs
        label={t("orders.title")}
        value={book}
        onChange={setBook}
        tabs={[
          { value: "positions", label: t("portfolio.title") },
          { value: "open", label: openLabel },
          { value: "closed", label: t("orders.closed") },
          { value: "fills", label: t("orders.fills") },
        ]}
      >
        {book === "positions" && <Positions accountId={accountId} />}
        {book === "open" && <OpenOrders accountId={accountId} />}
        {book === "closed" && <ClosedOrders accountId={accountId} />}
        {book === "fills" && <Fills accountId={accountId} />}
      </Tabs>
    </section>
  );
}
