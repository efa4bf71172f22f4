import { lazy } from "react";
import { useTranslation } from "react-i18next";
import type { AccountMargin, Balance } from "@/lib/api/types";
import { formatMoney } from "@/lib/format";
import { Origin } from "@/lib/ui/origin";

// The numbers behind the figures come when one of them is opened.
const OwnMoneyOrigin = lazy(() => import("./own-money-origin"));
const CreditOrigin = lazy(async () => ({ default: (await import("./margin-origins")).CreditOrigin }));

interface Props {
  balance: Balance;
  /** Credit included where the account has it; undefined until that is known. */
  amount: string | undefined;
  margin: AccountMargin | null;
}

/** What can be bought for, and how it came about: own money that nothing is held of, or what own money and credit can do. */
export function BuyingPowerFigure({ balance, amount, margin }: Props) {
  const { t } = useTranslation();
  const { currency } = balance;
  // Credit is in one currency; others are what they are.
  const lent = margin?.use != null && margin.currency === currency ? margin : null;
  return (
    <Origin
      label={t("portfolio.buyingPower")}
      rule={t(lent === null ? "origin.howBuyingPower" : "origin.howCredit")}
      numbers={() => (lent === null ? <OwnMoneyOrigin balance={balance} /> : <CreditOrigin margin={lent} />)}
    >
      {amount === undefined ? "–" : formatMoney(amount, currency)}
    </Origin>
  );
}
