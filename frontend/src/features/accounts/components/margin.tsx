import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy } from "react";
import { useTranslation } from "react-i18next";
import type { Account, AccountMargin } from "@/lib/api/types";
import { Decimal } from "@/lib/decimal";
import { formatMoney, formatQuantity } from "@/lib/format";
import { problemSentence } from "@/lib/i18n/sentences";
import { queryKeys } from "@/lib/query-keys";
import { showToast } from "@/lib/toasts";
import { LoadFailure } from "@/lib/ui/notice";
import { Origin } from "@/lib/ui/origin";
import { chooseMargin, type MarginSwitches, marginQuery } from "../api/margin";
import { MarginChoice } from "./margin-choice";

// The numbers behind the figures come when one of them is opened.
const MarginOrigin = lazy(() => import("./margin-origins"));

/** Whether a play account buys on credit and sells short, and how much of that is used. */
export function Margin({ account }: { account: Account }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const known = useQuery(marginQuery(account.id));
  const choosing = useMutation({
    mutationFn: (switches: MarginSwitches) => chooseMargin(account.id, switches),
    onSuccess: (answer) => queries.setQueryData(queryKeys.margin(account.id), answer),
    onError: (failure) => showToast({ tone: "bad", title: problemSentence(failure) }),
  });
  if (known.isError) return <LoadFailure failure={known.error} onRetry={() => known.refetch()} />;
  if (known.data === undefined) return null;
  const shown = choosing.isPending ? choosing.variables : known.data;
  return (
    <section className="space-y-2">
      <h3 className="font-semibold text-[13px]">{t("margin.title")}</h3>
      <MarginChoice
        switches={shown}
        disabled={choosing.isPending}
        onChange={(chosen) => choosing.mutate(chosen)}
      />
      <p className="max-w-2xl text-soft text-xs">{t("margin.hint", ratesOf(known.data))}</p>
      <MarginUse known={known.data} />
    </section>
  );
}

/** The rules as percentages, with no more digits than they have. */
function ratesOf({ rules, currency }: AccountMargin) {
  const percent = (part: string) => `${formatQuantity(new Decimal(part).times(100))}%`;
  return {
    initial: percent(rules.initial),
    maintenance: percent(rules.maintenance),
    shortMaintenance: percent(rules.shortMaintenance),
    interest: percent(rules.debitInterest),
    fee: percent(rules.borrowFee),
    least: formatMoney(rules.equityMin, currency),
  };
}

function MarginUse({ known }: { known: AccountMargin }) {
  const { t } = useTranslation();
  const { use, currency } = known;
  if (use == null) return null;
  const rows = [
    ["equity", use.equity],
    ["required", use.required],
    ["available", use.available],
    ["buyingPower", use.buyingPower],
    ["requiredToStay", use.requiredToStay],
    ["borrowed", use.borrowed],
    ["longValue", use.longValue],
    ["shortValue", use.shortValue],
  ] as const;
  return (
    <dl className="max-w-sm space-y-0.5 text-[13px]" data-testid="margin-use">
      {rows.map(([name, amount]) => (
        <div key={name} className="flex justify-between gap-3">
          <dt className="text-soft">{t(`margin.use.${name}`)}</dt>
          <dd>
            <Origin
              label={t(`margin.use.${name}`)}
              rule={t(`margin.how.${name}`)}
              numbers={() => <MarginOrigin figure={name} margin={known} />}
            >
              {formatMoney(amount, currency)}
            </Origin>
          </dd>
        </div>
      ))}
      {!use.isPriced && <p className="text-soft text-xs">{t("margin.unpriced")}</p>}
    </dl>
  );
}
