import { lazy } from "react";
import { useTranslation } from "react-i18next";
import type { Balance } from "@/lib/api/types";
import { formatMoney } from "@/lib/format";
import { Origin } from "./origin";

const HeldOrigin = lazy(() => import("./held-origin"));

/** What open orders hold of a currency, and which of them how much. */
export function HeldFigure({ balance }: { balance: Balance }) {
  const { t } = useTranslation();
  const { accountId, currency, held } = balance;
  return (
    <Origin
      label={t("portfolio.held")}
      rule={t("origin.howHeld")}
      numbers={() => <HeldOrigin accountId={accountId} currency={currency} held={held} />}
    >
      {formatMoney(held, currency)}
    </Origin>
  );
}
