import { useTranslation } from "react-i18next";
import type { Account, Currency, Position } from "@/lib/api/types";
import { currencyOf } from "@/lib/currency";
import type { Decimal } from "@/lib/decimal";
import { Notice } from "@/lib/ui/notice";
import { Panel } from "@/lib/ui/panel";
import { TicketForm } from "./ticket-form";

/** What the ticket must know of the account; it belongs to other rooms. */
export interface AccountState {
  cash: string | null;
  buyingPower: Decimal | null;
  /** What the account is worth now; asked for when it is shown. */
  worth: () => Decimal | null;
  /** What it has of the symbol, if anything. */
  position: Position | undefined;
}

interface Props {
  account: Account;
  symbol: string;
  state: AccountState;
  /** Shown where the symbol trades in another currency than the account's. */
  otherCurrency: (currency: Currency) => React.ReactNode;
}

/** Where an order is written and sent. */
export function Ticket({ account, symbol, state, otherCurrency }: Props) {
  const { t } = useTranslation();
  const currency = currencyOf(symbol);
  const matches = currency === account.currency;
  return (
    <Panel title={`${t("ticket.title")} · ${symbol}`} id="ticket">
      <div className="px-3 pb-3">
        {matches ? (
          <TicketForm key={`${account.id} ${symbol}`} account={account} symbol={symbol} state={state} />
        ) : (
          <div className="space-y-3">
            <Notice tone="warn">
              {t("ticket.otherCurrency", { symbol, currency, accountCurrency: account.currency })}
            </Notice>
            {otherCurrency(currency)}
          </div>
        )}
      </div>
    </Panel>
  );
}
