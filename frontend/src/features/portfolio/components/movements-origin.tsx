import { useInfiniteQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { AccountValue, StatementLine } from "@/lib/api/types";
import { Decimal, sum } from "@/lib/decimal";
import { formatGain, formatQuantity, formatTime } from "@/lib/format";
import { movementWord } from "@/lib/i18n/sentences";
import { MoreRows } from "@/lib/ui/more-rows";
import { LoadFailure } from "@/lib/ui/notice";
import { Sum } from "@/lib/ui/sum";
import {
  DIVIDENDS,
  FLOWS,
  INTEREST,
  linesOf,
  type MovementKind,
  movementPagesQuery,
} from "../api/performance";
import { taxParts } from "../hooks/origin";

interface Props {
  value: AccountValue;
}

interface Wanted {
  isError: boolean;
  error: unknown;
  refetch: () => unknown;
}

/** That something is on its way, or why it is not there. */
export function Missing({ query }: { query: Wanted }) {
  const { t } = useTranslation();
  if (!query.isError) return <p>{t("app.loading")}</p>;
  return <LoadFailure failure={query.error} onRetry={() => query.refetch()} />;
}

/** Each movement that brought something in or took it out. */
export function FlowsOrigin({ value }: Props) {
  return <MovementsOrigin value={value} kinds={FLOWS} total={value.netDeposits} />;
}

/** Each night's interest and fee. */
export function InterestOrigin({ value }: Props) {
  return <MovementsOrigin value={value} kinds={INTEREST} total={value.interest} />;
}

interface MovementsProps extends Props {
  kinds: readonly MovementKind[];
  /** What all of them make. */
  total: string;
}

/** Each movement of some kinds, page by page, with what those not named make. */
function MovementsOrigin({ value, kinds, total }: MovementsProps) {
  const { t } = useTranslation();
  const { accountId, currency } = value;
  const pages = useInfiniteQuery(movementPagesQuery(accountId, kinds));
  if (pages.data === undefined) return <Missing query={pages} />;
  const lines = pages.data.pages.flatMap((page) => linesOf(page.lines, currency));
  const ofMoney = lines.filter(({ commodity }) => commodity === currency);
  const others = new Decimal(total).minus(sum(ofMoney.map(({ amount }) => amount)));
  return (
    <>
      <Sum
        terms={[
          ...lines.map((line) => ({ label: <LineWords line={line} />, amount: amountOf(line, value) })),
          ...(others.isZero()
            ? []
            : [
                {
                  label: t(pages.hasNextPage ? "origin.earlier" : "origin.inKind"),
                  amount: formatGain(others, currency),
                },
              ]),
        ]}
        result={formatGain(total, currency)}
      />
      <MoreRows pages={pages} />
    </>
  );
}

function amountOf({ amount, commodity, symbol }: StatementLine, { currency }: AccountValue): ReactNode {
  if (commodity === currency) return formatGain(amount, currency);
  return `${formatQuantity(amount)} ${symbol}`;
}

function LineWords({ line }: { line: StatementLine }) {
  const { i18n } = useTranslation();
  return `${formatTime(line.bookedAt, i18n.language, true)} ${movementWord(line.kind)}${line.symbol == null ? "" : ` ${line.symbol}`}`;
}

/** Taxes: what was kept back from dividends, and the rest, which trades have cost. Told once all dividends are known. */
export function TaxOrigin({ value }: Props) {
  const { t } = useTranslation();
  const { accountId, currency, tax } = value;
  const pages = useInfiniteQuery(movementPagesQuery(accountId, DIVIDENDS));
  if (pages.data === undefined) return <Missing query={pages} />;
  if (pages.hasNextPage)
    return (
      <>
        <p>{t("origin.taxNeedsAll")}</p>
        <MoreRows pages={pages} />
      </>
    );
  const lines = pages.data.pages.flatMap((page) => linesOf(page.lines, currency));
  const { onDividends, onTrades } = taxParts(value, lines);
  return (
    <Sum
      terms={[
        { label: t("origin.taxOnTrades"), amount: formatGain(onTrades, currency) },
        { label: t("origin.taxOnDividends"), amount: formatGain(onDividends, currency) },
      ]}
      result={formatGain(tax, currency)}
    />
  );
}
