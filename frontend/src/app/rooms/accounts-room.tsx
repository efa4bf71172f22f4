import { getRouteApi } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { AccountList } from "@/features/accounts/components/account-list";
import { BeginAnew } from "@/features/accounts/components/begin-anew";
import { BrokerState } from "@/features/accounts/components/broker-state";
import { Cash } from "@/features/accounts/components/cash";
import { ImportFile } from "@/features/accounts/components/import-file";
import { Statement } from "@/features/accounts/components/statement";
import { useAccounts } from "@/features/accounts/hooks/use-account";
import { IncidentOrder } from "@/features/orders/components/incident-order";
import type { AccountPart } from "@/lib/account-search";
import type { Incident } from "@/lib/api/types";
import { Tabs } from "@/lib/ui/tabs";
import { NoAccount } from "./no-account";

const route = getRouteApi("/accounts");

/** An incident is of an account, and its order of the orders: they meet here. */
const orderOf = ({ orderId, kind }: Incident) =>
  orderId == null ? null : <IncidentOrder orderId={orderId} isUnresolved={kind === "unresolved_order"} />;

/** The accounts: their cash and its ways, their statements, files of before, their broker, and a new beginning. */
export function AccountsRoom() {
  const { t } = useTranslation();
  const accounts = useAccounts();
  const { chosen } = accounts;
  const { part: wished = "cash" } = route.useSearch();
  const navigate = route.useNavigate();
  const setWished = (part: AccountPart) => void navigate({ search: { part }, replace: true });
  if (accounts.data === undefined || chosen === null) return <NoAccount accounts={accounts} />;
  // Only play money begins anew.
  const isPlay = chosen.broker === "simulator";
  const part = wished === "reset" && !isPlay ? "cash" : wished;
  return (
    <div className="grid items-start gap-2 p-2 lg:grid-cols-[17rem_minmax(0,1fr)]">
      <AccountList accounts={accounts.data} chosen={chosen} />
      <section aria-labelledby="account-name" className="min-w-0 rounded-lg border border-line bg-panel">
        <h1 id="account-name" className="px-3 pt-3 pb-1 font-semibold text-[15px]">
          {chosen.name} <span className="font-normal text-soft text-xs">{chosen.currency}</span>
        </h1>
        <Tabs
          label={t("accounts.parts")}
          value={part}
          onChange={setWished}
          tabs={[
            { value: "cash", label: t("portfolio.cash") },
            { value: "statement", label: t("accounts.statement") },
            { value: "import", label: t("imports.title") },
            { value: "broker", label: t("broker.title") },
            ...(isPlay ? [{ value: "reset" as const, label: t("reset.title") }] : []),
          ]}
        >
          {part === "cash" && <Cash key={chosen.id} account={chosen} />}
          {part === "statement" && <Statement key={chosen.id} account={chosen} />}
          {part === "import" && <ImportFile key={chosen.id} account={chosen} />}
          {part === "broker" && <BrokerState key={chosen.id} account={chosen} orderOf={orderOf} />}
          {part === "reset" && <BeginAnew key={chosen.id} account={chosen} />}
        </Tabs>
      </section>
    </div>
  );
}
