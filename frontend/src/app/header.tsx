import { useState } from "react";
import { useTranslation } from "react-i18next";
import { DepositForm } from "@/features/accounts/components/deposit-form";
import { OpenAccountForm } from "@/features/accounts/components/open-account-form";
import { useAccounts } from "@/features/accounts/hooks/use-account";
import { signOut } from "@/features/auth/api/auth";
import { TwoFactor } from "@/features/auth/components/two-factor";
import type { Account, User } from "@/lib/api/types";
import { setPreferences } from "@/lib/preferences";
import { Button } from "@/lib/ui/button";
import { Dialog } from "@/lib/ui/dialog";
import { ConnectionState } from "./connection-state";
import { LanguageSwitch, RisingColourSwitch } from "./display-settings";

export function Brand() {
  const { t } = useTranslation();
  return (
    <span className="flex items-center gap-2 font-semibold text-[15px]">
      <img src="/favicon.svg" alt="" width="24" height="24" />
      {t("app.name")}
    </span>
  );
}

/** The desk's head: which account, what state, how it looks. */
export function Header({ symbol, user }: { symbol: string | null; user: User }) {
  const { t } = useTranslation();
  return (
    <header className="flex flex-wrap items-center gap-x-5 gap-y-2 border-line border-b bg-panel px-4 py-2 max-sm:px-3">
      <Brand />
      <ConnectionState symbol={symbol} />
      <div className="flex items-center gap-2 max-sm:order-last max-sm:w-full sm:ml-auto">
        <AccountSwitch />
      </div>
      <div className="flex items-center gap-2 max-lg:hidden">
        <Choices user={user} />
      </div>
      <details className="relative max-sm:ml-auto lg:hidden">
        <summary className="flex h-7 list-none items-center rounded-md border border-line px-2 text-xs">
          {t("header.menu")}
        </summary>
        <div className="absolute right-0 z-30 mt-1 flex w-52 flex-col gap-2 rounded-lg border border-line bg-panel p-3 shadow-lg">
          <Choices user={user} />
        </div>
      </details>
    </header>
  );
}

function Choices({ user }: { user: User }) {
  const { t } = useTranslation();
  const [securing, setSecuring] = useState(false);
  return (
    <>
      <RisingColourSwitch />
      <LanguageSwitch />
      <Button look="quiet" size="small" onClick={() => setSecuring(true)}>
        {t("header.twoFactor")}
      </Button>
      {securing && (
        <Dialog title={t("header.twoFactor")} onClose={() => setSecuring(false)}>
          <TwoFactor enabled={user.totpEnabled} />
        </Dialog>
      )}
      <Button look="quiet" size="small" title={user.email} onClick={() => void signOut().catch(() => {})}>
        {t("header.signOut")}
      </Button>
    </>
  );
}

function AccountSwitch() {
  const { t } = useTranslation();
  const { data: accounts, chosen } = useAccounts();
  const [dialog, setDialog] = useState<"open" | "deposit" | null>(null);
  if (accounts === undefined || chosen === null) return null;
  const close = () => setDialog(null);
  return (
    <>
      <select
        aria-label={t("header.account")}
        value={chosen.id}
        onChange={(event) => setPreferences({ accountId: event.target.value })}
        className="h-7 max-w-44 rounded-md border border-line bg-panel px-1.5 text-xs"
      >
        {accounts.map((account: Account) => (
          <option key={account.id} value={account.id}>
            {account.name} · {account.currency}
          </option>
        ))}
      </select>
      <Button size="small" onClick={() => setDialog("deposit")}>
        {t("header.deposit")}
      </Button>
      <Button size="small" onClick={() => setDialog("open")}>
        {t("header.newAccount")}
      </Button>
      {dialog === "open" && (
        <Dialog title={t("accounts.openTitle")} onClose={close}>
          <OpenAccountForm onOpened={close} />
        </Dialog>
      )}
      {dialog === "deposit" && (
        <Dialog title={t("accounts.depositTitle")} onClose={close}>
          <DepositForm account={chosen} onDone={close} />
        </Dialog>
      )}
    </>
  );
}
