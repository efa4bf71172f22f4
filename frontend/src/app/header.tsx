import { Link, useNavigate } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { DepositForm } from "@/features/accounts/components/deposit-form";
import { useAccounts } from "@/features/accounts/hooks/use-account";
import { signOut } from "@/features/auth/api/auth";
import type { Account } from "@/lib/api/types";
import { setPreferences } from "@/lib/preferences";
import { useSession } from "@/lib/session";
import { useShortcuts } from "@/lib/shortcuts";
import { Button } from "@/lib/ui/button";
import { Dialog } from "@/lib/ui/dialog";
import { Popover } from "@/lib/ui/popover";
import { ConnectionState } from "./connection-state";
import { LanguageSwitch, RisingColourSwitch, ThemeSwitch } from "./display-settings";
import { ROOMS } from "./rooms/names";

/** The name of the house; `compact` leaves only its mark where there is little room. */
export function Brand({ compact = false }: { compact?: boolean }) {
  const { t } = useTranslation();
  return (
    <span className="flex items-center gap-2 font-semibold text-[15px]">
      <img src="/favicon.svg" alt="" width="24" height="24" />
      <span className={compact ? "max-[24rem]:sr-only" : ""}>{t("app.name")}</span>
    </span>
  );
}

/** The head of the page: which room, what state, which account, how it looks. */
export function Header({ symbol, accountId }: { symbol: string | null; accountId: string | null }) {
  return (
    <header className="flex flex-wrap items-center gap-x-3 gap-y-2 border-line border-b bg-panel px-3 py-1.5 min-[90rem]:gap-x-5 max-sm:py-2">
      <Brand compact />
      <Rooms />
      <ConnectionState symbol={symbol} accountId={accountId} />
      <div className="flex items-center gap-2 max-sm:min-w-0 max-sm:grow max-sm:basis-0 md:ml-auto">
        <AccountSwitch />
      </div>
      <Menu />
    </header>
  );
}

/** The number of a room is the key that leads there. */
function useRoomKeys(): void {
  const navigate = useNavigate();
  useShortcuts(
    Object.fromEntries(ROOMS.map(({ to }, index) => [String(index + 1), () => void navigate({ to })])),
  );
}

function Rooms() {
  const { t } = useTranslation();
  useRoomKeys();
  return (
    <nav aria-label={t("header.rooms")} className="flex gap-1 max-md:hidden">
      {ROOMS.map(({ to, name }) => (
        <Link
          key={to}
          to={to}
          activeOptions={{ exact: true, includeSearch: false }}
          className="rounded-md px-2 py-1.5 text-[13px] min-[90rem]:px-2.5 text-soft hover:bg-raised hover:text-text"
          activeProps={{ className: "!bg-accent-wash !text-text font-semibold", "aria-current": "page" }}
        >
          {t(`header.${name}`)}
        </Link>
      ))}
    </nav>
  );
}

/** How the page looks, and the way out. */
function Menu() {
  const { t } = useTranslation();
  const user = useSession((state) => state.user);
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  return (
    <div className="max-md:ml-auto">
      <Button
        ref={button}
        size="small"
        aria-haspopup="dialog"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        {t("header.menu")}
      </Button>
      {open && (
        <Popover anchor={button} title={t("header.menu")} titleHidden onClose={() => setOpen(false)}>
          <div className="flex w-54 flex-col gap-3">
            <p className="truncate text-soft text-xs">{user?.email}</p>
            <LanguageSwitch />
            <ThemeSwitch />
            <RisingColourSwitch />
            <Link
              to="/settings"
              className="rounded-md border border-line px-2 py-1.5 text-center text-xs hover:bg-raised"
              onClick={() => setOpen(false)}
            >
              {t("header.settings")}
            </Link>
            <Button size="small" onClick={() => void signOut()}>
              {t("header.signOut")}
            </Button>
          </div>
        </Popover>
      )}
    </div>
  );
}

function AccountSwitch() {
  const { t } = useTranslation();
  const { data: accounts, chosen } = useAccounts();
  const [depositing, setDepositing] = useState(false);
  if (accounts === undefined || chosen === null) return null;
  const close = () => setDepositing(false);
  return (
    <>
      <select
        aria-label={t("header.account")}
        value={chosen.id}
        onChange={(event) => setPreferences({ accountId: event.target.value })}
        className="h-7 min-w-0 max-w-44 rounded-md border border-line bg-panel px-1.5 text-xs"
      >
        {accounts.map((account: Account) => (
          <option key={account.id} value={account.id}>
            {account.name} · {account.currency}
          </option>
        ))}
      </select>
      {chosen.broker === "simulator" && (
        <Button size="small" onClick={() => setDepositing(true)}>
          {t("header.deposit")}
        </Button>
      )}
      {depositing && (
        <Dialog title={t("accounts.depositTitle")} onClose={close}>
          <DepositForm account={chosen} onDone={close} />
        </Dialog>
      )}
    </>
  );
}
