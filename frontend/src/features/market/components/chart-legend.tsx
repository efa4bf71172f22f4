import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Currency } from "@/lib/api/types";
import { DIRECTION_CLASS, formatPercent, MINOR_DIGITS } from "@/lib/format";
import type { Drawing } from "../chart/drawing";
import { type Pointed, pointedBar } from "../chart/pointed";

const PERCENT_DIGITS = 2;
/** Indicators are means of prices: they need a digit where prices have none. */
const INDICATOR_DIGITS_MIN = 1;

interface Props {
  drawing: Drawing | null;
  currency: Currency;
}

/** Says in numbers what the pointer is at, and which line is which. The chart says the same to the eye alone. */
export function ChartLegend({ drawing, currency }: Props) {
  const { i18n } = useTranslation();
  const [pointed, setPointed] = useState<Pointed | null>(null);
  useEffect(() => {
    if (drawing === null) return;
    const { chart } = drawing;
    const follow: Parameters<typeof chart.subscribeCrosshairMove>[0] = (at) =>
      setPointed(pointedBar(drawing, at));
    chart.subscribeCrosshairMove(follow);
    return () => {
      setPointed(null);
      if (!drawing.isGone) chart.unsubscribeCrosshairMove(follow);
    };
  }, [drawing]);
  if (drawing === null) return null;
  const digits = MINOR_DIGITS[currency];
  const price = numbers(i18n.language, digits);
  const value = numbers(i18n.language, Math.max(digits, INDICATOR_DIGITS_MIN));
  return (
    <div
      aria-hidden="true"
      className="pointer-events-none absolute top-1 left-1 z-10 max-w-[80%] space-y-0.5 rounded bg-panel/85 px-1 text-[11px] text-soft"
    >
      {pointed !== null && <Bar pointed={pointed} format={price} language={i18n.language} />}
      <p className="flex flex-wrap gap-x-2.5">
        {drawing.counted.map(({ name, colour }, index) => (
          <span key={name} style={{ color: colour }}>
            {name} {pointed?.values[index] == null ? "" : value(pointed.values[index])}
          </span>
        ))}
      </p>
    </div>
  );
}

/** Binary numbers of a picture, as text with so many digits. */
function numbers(language: string, digits: number): (value: number) => string {
  return new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits })
    .format;
}

interface BarProps {
  pointed: Pointed;
  format: (price: number) => string;
  language: string;
}

function Bar({ pointed, format, language }: BarProps) {
  const { t } = useTranslation();
  const { changePercent, volume } = pointed;
  const parts = (["open", "high", "low", "close"] as const).flatMap((name) => {
    const price = pointed[name];
    return price === null ? [] : [[name, format(price)] as const];
  });
  const direction =
    changePercent === null || changePercent === 0 ? "flat" : changePercent > 0 ? "up" : "down";
  return (
    <p className="flex flex-wrap gap-x-2.5">
      {parts.map(([name, text]) => (
        <span key={name}>
          {t(`market.legend.${name}`)} <span className="text-text">{text}</span>
        </span>
      ))}
      {changePercent !== null && (
        <span className={DIRECTION_CLASS[direction]}>
          {formatPercent(changePercent.toFixed(PERCENT_DIGITS))}
        </span>
      )}
      {volume !== null && (
        <span>
          {t("market.legend.volume")} <span className="text-text">{numbers(language, 0)(volume)}</span>
        </span>
      )}
    </p>
  );
}
