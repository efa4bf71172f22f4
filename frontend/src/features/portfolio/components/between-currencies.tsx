import { useTranslation } from "react-i18next";
import type { AccountValue, Position } from "@/lib/api/types";
import { type Decimal, sum } from "@/lib/decimal";
import { formatCash, formatMoney, formatPercent, formatQuantity } from "@/lib/format";
import { setPreferences, usePreferences } from "@/lib/preferences";
import { quotes } from "@/lib/quotes/socket";
import { useQuotesText } from "@/lib/quotes/use-quote";
import { Field } from "@/lib/ui/field";
import { Panel } from "@/lib/ui/panel";
import { Formula } from "@/lib/ui/sum";
import { betweenCurrencies, type CurrencyPart, inWon, readRate } from "../hooks/currencies";
import { valueOfAccount } from "../hooks/value";
import { Bars } from "./bars";

interface Props {
  values: readonly AccountValue[];
  positions: readonly Position[];
}

/**
 * How an account is divided between currencies, at a rate that its owner reckons with: this server knows none, and amounts of
 * different currencies are added nowhere else.
 */
export function BetweenCurrencies({ values, positions }: Props) {
  const { t } = useTranslation();
  const typed = usePreferences((state) => state.wonForDollar);
  const symbols = positions.map(({ symbol }) => symbol);
  useQuotesText(symbols, () => symbols.map((symbol) => quotes.get(symbol)?.price ?? "").join(" "));
  if (values.length < 2) return null;
  const rate = readRate(typed);
  const totals = values.map((value) => ({
    currency: value.currency,
    total:
      valueOfAccount(
        value,
        positions.filter(({ currency }) => currency === value.currency),
        (symbol) => quotes.get(symbol)?.price,
      )?.totalValue ?? null,
  }));
  const parts = rate === null ? null : betweenCurrencies(totals, rate);
  return (
    <Panel title={t("portfolio.byCurrency")}>
      <div className="space-y-3 p-3 pt-0 text-xs">
        <Field
          label={t("portfolio.wonForDollar")}
          value={typed}
          inputMode="decimal"
          autoComplete="off"
          hint={t("portfolio.wonForDollarHint")}
          error={typed !== "" && rate === null ? t("portfolio.wonForDollarWrong") : undefined}
          onChange={(event) => setPreferences({ wonForDollar: event.target.value })}
        />
        {parts !== null && rate !== null && (
          <Bars
            bars={parts.map(({ currency, total, percent }) => ({
              name: currency,
              rule: t("origin.howCurrencyPart"),
              numbers: () => (
                <CurrencyOrigin
                  currency={currency}
                  total={total}
                  rate={rate}
                  percent={percent}
                  parts={parts}
                />
              ),
              percent,
              strong: true,
            }))}
          />
        )}
      </div>
    </Panel>
  );
}

interface OriginProps extends CurrencyPart {
  /** Won for a dollar. */
  rate: Decimal;
  parts: readonly CurrencyPart[];
}

/** The worth in one currency at the rate that was named, as a part of the whole. */
function CurrencyOrigin({ currency, total, percent, rate, parts }: OriginProps) {
  const part = inWon({ currency, total }, rate);
  const whole = sum(parts.map((each) => inWon(each, rate)));
  return (
    <>
      {currency === "USD" && (
        <Formula>
          {formatMoney(total, currency)} × {formatQuantity(rate)} = {formatMoney(part, "KRW")}
        </Formula>
      )}
      <Formula>
        {formatCash(part, "KRW")} ÷ {formatCash(whole, "KRW")} ={" "}
        <strong className="font-medium">{formatPercent(percent).replace(/^\+/, "")}</strong>
      </Formula>
    </>
  );
}
