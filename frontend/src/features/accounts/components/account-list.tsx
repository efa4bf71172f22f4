import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Account } from "@/lib/api/types";
import { formatDate } from "@/lib/format";
import { brokerWord } from "@/lib/i18n/sentences";
import { setPreferences } from "@/lib/preferences";
import { Button } from "@/lib/ui/button";
import { Dialog } from "@/lib/ui/dialog";
import { Panel } from "@/lib/ui/panel";
import { OpenAccountForm } from "./open-account-form";

/** The user's accounts, and the way to another one. */
export function AccountList({ accounts, chosen }: { accounts: readonly Account[]; chosen: Account }) {
  const { t, i18n } = useTranslation();
  const [opening, setOpening] = useState(false);
  return (
    <Panel
      title={t("header.accounts")}
      actions={
        <Button size="small" onClick={() => setOpening(true)}>
          {t("header.newAccount")}
        </Button>
      }
    >
      <ul className="pb-1">
        {accounts.map((account) => (
          <li key={account.id}>
            <button
              type="button"
              aria-current={account.id === chosen.id ? "true" : undefined}
              className={`block w-full px-3 py-2 text-left ${account.id === chosen.id ? "bg-accent-wash" : "hover:bg-raised"}`}
              onClick={() => setPreferences({ accountId: account.id })}
            >
              <span className="block truncate font-medium">{account.name}</span>
              <span className="block text-soft text-xs">
                {account.currency} · {brokerWord(account.broker)} ·{" "}
                {formatDate(account.createdAt, i18n.language)}
              </span>
            </button>
          </li>
        ))}
      </ul>
      {opening && (
        <Dialog title={t("accounts.openTitle")} onClose={() => setOpening(false)}>
          <OpenAccountForm onOpened={() => setOpening(false)} />
        </Dialog>
      )}
    </Panel>
  );
}
