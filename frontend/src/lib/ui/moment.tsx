import { useTranslation } from "react-i18next";
import type { Currency } from "@/lib/api/types";
import { formatMarketTime, formatTime } from "@/lib/format";

interface Props {
  time: string;
  /** Of the market it happened in. */
  currency: Currency;
  withYear?: boolean;
  /** Shows the market's own time below; else it is told when the pointer rests there. */
  both?: boolean;
}

/** A moment by the reader's clock, and by the market's. */
export function Moment({ time, currency, withYear = false, both = false }: Props) {
  const { i18n } = useTranslation();
  const there = formatMarketTime(time, currency, i18n.language);
  return (
    <time dateTime={time} title={there}>
      {formatTime(time, i18n.language, withYear)}
      {both && <span className="block text-soft text-xs">{there}</span>}
    </time>
  );
}
