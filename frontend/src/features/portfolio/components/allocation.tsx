import { useTranslation } from "react-i18next";
import type { Currency, Position } from "@/lib/api/types";
import { formatMoney, formatPercent } from "@/lib/format";
import { quotes } from "@/lib/quotes/socket";
import { allocationOf, type Part } from "../hooks/allocation";

interface Props {
  cash: string;
  currency: Currency;
  positions: readonly Position[];
}

/** How what there is in one currency is divided between cash and shares. */
export function Allocation({ cash, currency, positions }: Props) {
  const { t } = useTranslation();
  const parts = allocationOf(cash, positions, (symbol) => quotes.get(symbol)?.price);
  if (parts === null) return null;
  const name = (part: Part) => part.symbol ?? t(part.kind === "cash" ? "portfolio.cash" : "portfolio.others");
  return (
    <section aria-label={t("portfolio.allocation")}>
      <h3 className="mb-1.5 font-semibold text-[13px]">{t("portfolio.allocation")}</h3>
      <ul className="space-y-1 text-xs">
        {parts.map((part) => (
          <li
            key={`${part.kind} ${part.symbol}`}
            className="grid grid-cols-[5.5rem_1fr_3.5rem] items-center gap-2"
          >
            <span className="truncate">{name(part)}</span>
            <span className="h-2 rounded-full bg-raised" title={formatMoney(part.value, currency)}>
              <span
                className={`block h-2 rounded-full ${part.kind === "shares" ? "bg-accent" : "bg-soft/50"}`}
                style={{ width: `${part.percent.toFixed(2)}%` }}
              />
            </span>
            <span className="text-right">{formatPercent(part.percent).replace(/^\+/, "")}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
