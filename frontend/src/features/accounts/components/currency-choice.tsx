import { useTranslation } from "react-i18next";
import type { Currency } from "@/lib/api/types";
import { Segmented } from "@/lib/ui/segmented";

interface Props {
  value: Currency;
  onChange: (currency: Currency) => void;
  legend?: string;
}

/** One of the currencies that every account can hold. */
export function CurrencyChoice({ value, onChange, legend }: Props) {
  const { t } = useTranslation();
  return (
    <Segmented
      legend={legend ?? t("accounts.currency")}
      legendHidden={legend === undefined}
      size="small"
      value={value}
      onChange={onChange}
      options={[
        { value: "USD", label: t("accounts.usd") },
        { value: "KRW", label: t("accounts.krw") },
      ]}
    />
  );
}
