import { useTranslation } from "react-i18next";
import type { Account, Currency } from "@/lib/api/types";
import { formatCash, formatMoney } from "@/lib/format";
import { showToast } from "@/lib/toasts";
import { Button } from "@/lib/ui/button";
import { deposit } from "../api/money";
import { useMovement } from "../hooks/use-movement";
import { CashForm } from "./cash-form";

const PRESETS: Record<Currency, readonly string[]> = {
  USD: ["1000", "10000", "100000"],
  KRW: ["1000000", "10000000", "100000000"],
};

interface Props {
  account: Account;
  onDone?: () => void;
}

/** Pays play money into an account; a retry after a lost answer pays once. */
export function DepositForm({ account, onDone }: Props) {
  const { t } = useTranslation();
  const movement = useMovement(
    ({ amount, currency }: { amount: string; currency: Currency }, key) =>
      deposit(account.id, amount, currency, key),
    ({ balance }) => [balance],
    ({ amount, currency }) => {
      showToast({ tone: "good", title: t("accounts.deposited", { amount: formatMoney(amount, currency) }) });
      onDone?.();
    },
  );
  return (
    <CashForm
      account={account}
      movement={movement}
      submitLabel={t("header.deposit")}
      hint={() => t("accounts.depositInto", { name: account.name })}
      presets={(currency, choose) =>
        PRESETS[currency].map((preset) => (
          <Button
            key={preset}
            size="small"
            className="flex-1"
            onClick={() => choose(formatCash(preset, currency))}
          >
            {formatMoney(preset, currency).replace(/\.00$/, "")}
          </Button>
        ))
      }
    />
  );
}
