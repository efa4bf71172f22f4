import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Account, Currency } from "@/lib/api/types";
import { formatMoney } from "@/lib/format";
import { showToast } from "@/lib/toasts";
import { Select } from "@/lib/ui/field";
import { Empty } from "@/lib/ui/panel";
import { transfer } from "../api/money";
import { useAccounts } from "../hooks/use-account";
import { useMovement } from "../hooks/use-movement";
import { CashForm } from "./cash-form";

/** Moves money to another account of the same owner: both sides or none. */
export function TransferForm({ account, onDone }: { account: Account; onDone: () => void }) {
  const { t } = useTranslation();
  const { data: accounts = [] } = useAccounts();
  const others = accounts.filter(({ id }) => id !== account.id);
  const [chosen, setChosen] = useState<string | null>(null);
  const target = others.find(({ id }) => id === chosen) ?? others[0];
  const movement = useMovement(
    ({ amount, currency }: { amount: string; currency: Currency }, key) =>
      transfer(account.id, { toAccountId: target?.id ?? "", amount, currency }, key).then((booked) => ({
        ...booked,
        currency,
      })),
    ({ balance, toBalance }) => [balance, toBalance],
    ({ amount, currency }) => {
      showToast({
        tone: "good",
        title: t("accounts.transferred", { amount: formatMoney(amount, currency) }),
      });
      onDone();
    },
  );
  if (target === undefined) return <Empty>{t("accounts.noOther")}</Empty>;
  return (
    <div className="space-y-3">
      <Select
        label={t("accounts.transferTo")}
        value={target.id}
        onChange={(event) => {
          movement.change();
          setChosen(event.target.value);
        }}
      >
        {others.map(({ id, name, currency }) => (
          <option key={id} value={id}>
            {name} · {currency}
          </option>
        ))}
      </Select>
      <CashForm
        account={account}
        movement={movement}
        submitLabel={t("accounts.transfer")}
        hint={() => undefined}
      />
    </div>
  );
}
