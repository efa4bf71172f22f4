import { useTranslation } from "react-i18next";
import { FRACTION_DIGITS_MAX, INTEGER_DIGITS_MAX, numberFault } from "@/lib/decimal";

/** What is wrong with a typed number: its length where that is it, else what the field wants. */
export function useNumberComplaint(): (text: string, wanted: string) => string {
  const { t } = useTranslation();
  return (text, wanted) => {
    const fault = numberFault(text);
    if (fault === "tooLarge") return t("app.numberTooLarge", { digits: INTEGER_DIGITS_MAX });
    if (fault === "tooPrecise") return t("app.numberTooPrecise", { digits: FRACTION_DIGITS_MAX });
    return wanted;
  };
}
