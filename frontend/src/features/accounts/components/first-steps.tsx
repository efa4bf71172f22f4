import { useTranslation } from "react-i18next";
import type { Account } from "@/lib/api/types";
import { BrokerConnection } from "./broker-connection";
import { DepositForm } from "./deposit-form";
import { OpenAccountForm } from "./open-account-form";

/** What a newcomer does before the first order: open an account, put money into it. */
export function FirstSteps({ account }: { account: Account | null }) {
  const { t } = useTranslation();
  const current = account === null ? 0 : 1;
  // A broker of its own keeps the money: what is missing there is the key.
  const isElsewhere = account !== null && account.broker !== "simulator";
  const second = t(isElsewhere ? "accounts.stepKey" : "accounts.stepDeposit");
  const steps = [t("accounts.stepAccount"), second, t("accounts.stepOrder")];
  return (
    <section
      className="rounded-lg border border-accent/40 bg-panel p-4"
      aria-label={t("accounts.startTitle")}
    >
      <h2 className="font-semibold text-[15px]">{t("accounts.startTitle")}</h2>
      <ol className="mt-3 mb-4 flex gap-1.5">
        {steps.map((step, index) => (
          <li key={step} className="flex-1" aria-current={index === current ? "step" : undefined}>
            <div className={`h-1 rounded-full ${index <= current ? "bg-accent" : "bg-line"}`} />
            <p className={`mt-1.5 text-xs ${index === current ? "font-medium" : "text-soft"}`}>
              {index + 1}. {step}
            </p>
          </li>
        ))}
      </ol>
      {account === null && <OpenAccountForm />}
      {account !== null && isElsewhere && <BrokerConnection account={account} />}
      {account !== null && !isElsewhere && <DepositForm account={account} />}
    </section>
  );
}
