import { lazy, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { AccountValue, Position } from "@/lib/api/types";
import type { Decimal } from "@/lib/decimal";
import { Origin } from "@/lib/ui/origin";
import type { DayResult } from "../hooks/use-day-result";
import type { LiveAccountValue } from "../hooks/value";
import type { AccountFigure as Name } from "./account-origin";

// The numbers behind the figures come when one of them is opened.
const AccountOrigin = lazy(() => import("./account-origin"));
const DayResultOrigin = lazy(async () => ({ default: (await import("./account-origin")).DayResultOrigin }));

/** What each figure is called, and how it is counted. */
const WORDS = {
  worth: ["portfolio.value", "portfolio.howWorth"],
  totalPnl: ["portfolio.totalPnl", "portfolio.howPnl"],
  unrealised: ["portfolio.unrealised", "portfolio.howUnrealised"],
  realised: ["portfolio.realised", "portfolio.howRealised"],
  dividends: ["portfolio.dividends", "portfolio.howDividends"],
  fees: ["portfolio.feesPaid", "portfolio.howFees"],
  costs: ["portfolio.fees", "portfolio.howCosts"],
  tax: ["portfolio.taxPaid", "portfolio.howTax"],
  interest: ["portfolio.interest", "portfolio.howInterest"],
  cash: ["portfolio.cash", "portfolio.howCash"],
  shares: ["portfolio.positionsValue", "portfolio.howShares"],
  deposits: ["portfolio.netDeposits", "portfolio.howDeposits"],
} as const satisfies Record<Name, readonly [string, string]>;

/** What an account has in one currency. */
export interface Shown {
  value: AccountValue;
  /** Those in its currency. */
  positions: readonly Position[];
  /** At the prices of now; null while a share has none. */
  live: LiveAccountValue | null;
}

interface Props extends Shown {
  figure: Name;
  children: ReactNode;
}

/** A figure of an account that opens to the way it came about. */
export function AccountFigure({ figure, children, ...shown }: Props) {
  const { t } = useTranslation();
  const [label, rule] = WORDS[figure];
  return (
    <Origin label={t(label)} rule={t(rule)} numbers={() => <AccountOrigin figure={figure} {...shown} />}>
      {children}
    </Origin>
  );
}

/** The same in a list, with its name before it. */
export function AccountLine(props: Props) {
  const { t } = useTranslation();
  return (
    <Line label={t(WORDS[props.figure][0])}>
      <AccountFigure {...props} />
    </Line>
  );
}

/** A figure in a list, with its name before it. */
export function Line({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="flex items-baseline justify-between gap-3 py-1.5">
      <dt className="text-soft">{label}</dt>
      <dd className="text-right">{children}</dd>
    </div>
  );
}

interface DayProps extends Omit<Shown, "live"> {
  total: Decimal | null;
  day: DayResult;
  children: ReactNode;
}

/** The result of the running session, measured or estimated, that opens to the way it came about. */
export function DayFigure({ value, positions, total, day: { session }, children }: DayProps) {
  const { t } = useTranslation();
  const isMeasured = session !== null && total !== null;
  return (
    <Origin
      label={t("portfolio.dayChange")}
      rule={isMeasured ? t("portfolio.howSession", { day: session.sessionDate }) : t("portfolio.howDay")}
      numbers={() => <DayResultOrigin value={value} positions={positions} total={total} session={session} />}
    >
      {children}
    </Origin>
  );
}
