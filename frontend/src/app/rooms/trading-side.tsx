import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { balanceQuery } from "@/features/accounts/api/accounts";
import { BuyingPowerFigure } from "@/features/accounts/components/buying-power";
import { FirstSteps } from "@/features/accounts/components/first-steps";
import { OpenAccountForm } from "@/features/accounts/components/open-account-form";
import { useAccounts } from "@/features/accounts/hooks/use-account";
import { useBuyingPower, useMargin } from "@/features/accounts/hooks/use-margin";
import { Ticket } from "@/features/orders/components/ticket";
import type { Holdings } from "@/features/portfolio/api/portfolio";
import { Summary } from "@/features/portfolio/components/summary";
import { useHoldings } from "@/features/portfolio/hooks/use-holdings";
import { valueOfAccount } from "@/features/portfolio/hooks/value";
import type { Account, Currency } from "@/lib/api/types";
import { Decimal } from "@/lib/decimal";
import { useEventsReady } from "@/lib/events-status";
import { setPreferences } from "@/lib/preferences";
import { quotes } from "@/lib/quotes/socket";
import { Button } from "@/lib/ui/button";
import { Dialog } from "@/lib/ui/dialog";
import { LoadFailure } from "@/lib/ui/notice";
import { Empty } from "@/lib/ui/panel";
import { useIsUntouched } from "./use-is-starting";

/** The right side of the desk: the account's worth and the ticket, or the way there. */
export function TradingSide({ symbol }: { symbol: string | null }) {
  const { t } = useTranslation();
  const accounts = useAccounts();
  if (accounts.isError) return <LoadFailure failure={accounts.error} onRetry={() => accounts.refetch()} />;
  if (accounts.data === undefined) return <Empty>{t("app.loading")}</Empty>;
  if (accounts.chosen === null) return <FirstSteps account={null} />;
  return <AccountSide account={accounts.chosen} accounts={accounts.data} symbol={symbol} />;
}

interface Props {
  account: Account;
  accounts: readonly Account[];
  symbol: string | null;
}

function AccountSide({ account, accounts, symbol }: Props) {
  const ready = useEventsReady();
  const balance = useQuery({ ...balanceQuery(account.id), enabled: ready });
  const { data: holdings } = useHoldings(account.id);
  const margin = useMargin(account);
  const buyingPower = useBuyingPower(account, balance.data);
  if (useIsUntouched(account)) return <FirstSteps account={account} />;
  return (
    <>
      <Summary
        account={account}
        balance={balance.data}
        buyingPower={
          balance.data !== undefined && (
            <BuyingPowerFigure balance={balance.data} amount={buyingPower} margin={margin} />
          )
        }
      />
      {symbol !== null && (
        <Ticket
          account={account}
          symbol={symbol}
          state={{
            cash: balance.data?.cash ?? null,
            buyingPower: buyingPower === undefined ? null : new Decimal(buyingPower),
            worth: () => worthNow(holdings, account.currency),
            position: holdings?.positions.find((position) => position.symbol === symbol),
          }}
          otherCurrency={(currency) => <OtherCurrency accounts={accounts} currency={currency} />}
        />
      )}
    </>
  );
}

/** What the account is worth in its own currency at the prices of now; null where a share has no price. */
function worthNow(holdings: Holdings | undefined, currency: Currency): Decimal | null {
  if (holdings?.value == null) return null;
  const positions = holdings.positions.filter((position) => position.currency === currency);
  const value = valueOfAccount(holdings.value, positions, (held) => quotes.get(held)?.price);
  return value?.totalValue ?? null;
}

/** The way to an account in the currency wanted. */
function OtherCurrency({ accounts, currency }: { accounts: readonly Account[]; currency: Currency }) {
  const { t } = useTranslation();
  const [opening, setOpening] = useState(false);
  const fitting = accounts.find((account) => account.currency === currency);
  if (fitting !== undefined) {
    return (
      <Button look="primary" className="w-full" onClick={() => setPreferences({ accountId: fitting.id })}>
        {t("ticket.switchAccount", { name: fitting.name })}
      </Button>
    );
  }
  return (
    <>
      <Button look="primary" className="w-full" onClick={() => setOpening(true)}>
        {t("ticket.openAccount", { currency })}
      </Button>
      {opening && (
        <Dialog title={t("accounts.openTitle")} onClose={() => setOpening(false)}>
          <OpenAccountForm currency={currency} onOpened={() => setOpening(false)} />
        </Dialog>
      )}
    </>
  );
}
