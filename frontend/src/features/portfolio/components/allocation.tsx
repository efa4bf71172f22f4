import { lazy, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Currency, Position } from "@/lib/api/types";
import { formatMoney } from "@/lib/format";
import { quotes } from "@/lib/quotes/socket";
import { Origin } from "@/lib/ui/origin";
import { Segmented } from "@/lib/ui/segmented";
import { allocationOf, byMarket, owedOf, type Part } from "../hooks/allocation";
import { Bars } from "./bars";

// The numbers behind a part come when it is opened.
const PartOrigin = lazy(() => import("./part-origin"));
const OwedOrigin = lazy(async () => ({ default: (await import("./part-origin")).OwedOrigin }));

interface Props {
  cash: string;
  currency: Currency;
  positions: readonly Position[];
}

/** How what there is in one currency is divided between cash and shares, one by one or by their markets. */
export function Allocation({ cash, currency, positions }: Props) {
  const { t } = useTranslation();
  const [by, setBy] = useState<"symbol" | "market">("symbol");
  const group = by === "market" ? byMarket : undefined;
  const livePrice = (symbol: string) => quotes.get(symbol)?.price;
  const parts = allocationOf(cash, positions, livePrice, group);
  const owed = owedOf(cash, positions, livePrice);
  if (parts === null) return null;
  const name = (part: Part) => part.name ?? t(part.kind === "cash" ? "portfolio.cash" : "portfolio.others");
  return (
    <section aria-label={t("portfolio.allocation")}>
      <div className="mb-1.5 flex items-center justify-between gap-2">
        <h3 className="font-semibold text-[13px]">{t("portfolio.allocation")}</h3>
        <Segmented
          legend={t("portfolio.allocationBy")}
          legendHidden
          size="small"
          value={by}
          onChange={setBy}
          options={[
            { value: "symbol", label: t("portfolio.bySymbol") },
            { value: "market", label: t("portfolio.byMarket") },
          ]}
        />
      </div>
      <Bars
        bars={parts.map((part) => ({
          name: name(part),
          rule: t("origin.howPart"),
          numbers: () => <PartOrigin part={part} parts={parts} positions={positions} currency={currency} />,
          percent: part.percent,
          strong: part.kind === "shares",
        }))}
      />
      {owed?.greaterThan(0) && (
        <p className="mt-1.5 text-soft text-xs">
          <Origin
            label={t("portfolio.owedTitle")}
            rule={t("origin.howOwed")}
            numbers={() => <OwedOrigin cash={cash} positions={positions} currency={currency} owed={owed} />}
          >
            {t("portfolio.owed", { amount: formatMoney(owed, currency) })}
          </Origin>
        </p>
      )}
    </section>
  );
}
