import type { AccountValue, Performance, Position } from "@/lib/api/types";
import type { Decimal } from "@/lib/decimal";
import type { LiveAccountValue } from "../hooks/value";
import { FlowsOrigin, InterestOrigin, TaxOrigin } from "./movements-origin";
import {
  BookedOrigin,
  CashOrigin,
  CostsOrigin,
  DayOrigin,
  FeesOrigin,
  GainOrigin,
  SessionOrigin,
  SharesOrigin,
  UnrealisedOrigin,
  WorthOrigin,
} from "./origins";

/** A figure of an account in one currency. */
export type AccountFigure =
  | "worth"
  | "totalPnl"
  | "unrealised"
  | "realised"
  | "dividends"
  | "fees"
  | "costs"
  | "tax"
  | "interest"
  | "cash"
  | "shares"
  | "deposits";

interface Props {
  figure: AccountFigure;
  value: AccountValue;
  /** Those in its currency. */
  positions: readonly Position[];
  /** Null while a share has no price. */
  live: LiveAccountValue | null;
}

/** The numbers of which a figure of an account is made. */
export default function AccountOrigin({ figure, value, positions, live }: Props) {
  const shown = { value, positions };
  switch (figure) {
    case "worth":
      return <WorthOrigin {...shown} />;
    case "totalPnl":
      return live === null ? null : <GainOrigin value={value} sharesWorth={live.positionsValue} />;
    case "unrealised":
      return <UnrealisedOrigin {...shown} />;
    case "realised":
      return <BookedOrigin {...shown} kind="realised" />;
    case "dividends":
      return <BookedOrigin {...shown} kind="dividends" />;
    case "fees":
      return <FeesOrigin {...shown} />;
    case "costs":
      return <CostsOrigin value={value} />;
    case "tax":
      return (
        <>
          <BookedOrigin {...shown} kind="tax" />
          <TaxOrigin value={value} />
        </>
      );
    case "interest":
      return <InterestOrigin value={value} />;
    case "cash":
      return <CashOrigin {...shown} />;
    case "shares":
      return <SharesOrigin {...shown} />;
    case "deposits":
      return <FlowsOrigin value={value} />;
  }
}

interface DayProps {
  value: AccountValue;
  positions: readonly Position[];
  total: Decimal | null;
  session: Performance["session"];
}

/** The numbers of which the result of the session is made: measured, or estimated where nothing was written down. */
export function DayResultOrigin({ value, positions, total, session }: DayProps) {
  if (session == null || total === null) return <DayOrigin positions={positions} currency={value.currency} />;
  return <SessionOrigin value={value} total={total} session={session} />;
}
