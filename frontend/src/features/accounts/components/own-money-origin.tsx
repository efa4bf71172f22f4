import { useTranslation } from "react-i18next";
import type { Balance } from "@/lib/api/types";
import { Decimal } from "@/lib/decimal";
import { formatGain } from "@/lib/format";
import { Sum } from "@/lib/ui/sum";

/** What new orders may use without credit. */
export default function OwnMoneyOrigin({ balance }: { balance: Balance }) {
  const { t } = useTranslation();
  const { currency, cash, held, buyingPower } = balance;
  return (
    <Sum
      terms={[
        { label: t("portfolio.cash"), amount: formatGain(cash, currency) },
        { label: t("portfolio.held"), amount: formatGain(new Decimal(held).negated(), currency) },
      ]}
      result={formatGain(buyingPower, currency)}
    />
  );
}
