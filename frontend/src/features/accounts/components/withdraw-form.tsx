import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Account, Currency } from "@/lib/api/types";
import { formatMoney } from "@/lib/format";
import { problemSentence } from "@/lib/i18n/sentences";
import { showToast } from "@/lib/toasts";
import { balanceQuery } from "../api/accounts";
import { withdraw } from "../api/money";
import { useMovement } from "../hooks/use-movement";
import { CashForm } from "./cash-form";

/** Takes money out: what is settled and free. */
export function WithdrawForm({ account, onDone }: { account: Account; onDone: () => void }) {
  const { t } = useTranslation();
  const balance = useQuery(balanceQuery(account.id));
  const movement = useMovement(
    ({ amount, currency }: { amount: string; currency: Currency }, key) =>
      withdraw(account.id, amount, currency, key),
    ({ balance: left }) => [left],
    ({ amount, currency }) => {
      showToast({ tone: "good", title: t("accounts.withdrawn", { amount: formatMoney(amount, currency) }) });
      onDone();
    },
  );
  const withdrawable = (currency: Currency) => {
    if (balance.data === undefined && balance.isError) return problemSentence(balance.error);
    const known = balance.data?.currencies.find((one) => one.currency === currency);
    const amount = formatMoney(known?.withdrawable ?? "0", currency);
    return balance.data && t("accounts.withdrawableIs", { amount });
  };
  return (
    <CashForm
      account={account}
      movement={movement}
      submitLabel={t("accounts.withdraw")}
      hint={withdrawable}
    />
  );
}
