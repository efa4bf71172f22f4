import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useAccounts } from "@/features/accounts/hooks/use-account";
import { OrderDetail } from "@/features/orders/components/order-detail";
import { OrderFilters } from "@/features/orders/components/order-filters";
import { OrderGroups } from "@/features/orders/components/order-groups";
import { OrderList } from "@/features/orders/components/order-list";
import { OrdersBar } from "@/features/orders/components/orders-bar";
import type { OrderSearch } from "@/lib/order-search";
import { NoAccount } from "./no-account";

const route = getRouteApi("/orders");

/** Every order of the account: searched, looked into, changed, taken back. */
export function OrdersRoom() {
  const { t } = useTranslation();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const accounts = useAccounts();
  const { chosen } = accounts;
  const [opened, setOpened] = useState<string | null>(null);
  if (chosen === null) return <NoAccount accounts={accounts} />;
  const onSearch = (next: OrderSearch) => void navigate({ search: next, replace: true });
  return (
    <div className="flex h-[calc(100dvh-3.5rem)] flex-col gap-2 p-2 max-xl:min-h-[36rem] max-md:h-[calc(100dvh-9rem)] xl:h-full">
      <section
        aria-labelledby="orders-title"
        className="flex min-h-0 flex-1 flex-col rounded-lg border border-line bg-panel"
      >
        <header className="space-y-2 border-line border-b p-3">
          <div className="flex items-center justify-between gap-2">
            <h1 id="orders-title" className="font-semibold text-[15px]">
              {t("header.orders")}
            </h1>
            <OrdersBar accountId={chosen.id} search={search} />
          </div>
          <OrderFilters search={search} onSearch={onSearch} />
        </header>
        <OrderList key={chosen.id} accountId={chosen.id} search={search} onOpen={setOpened} />
      </section>
      <OrderGroups accountId={chosen.id} />
      {opened !== null && <OrderDetail orderId={opened} onClose={() => setOpened(null)} />}
    </div>
  );
}
