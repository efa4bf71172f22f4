import { ColorType, TickMarkType, type Time } from "lightweight-charts";
import { clockOf } from "@/lib/format";
import type { ChartColours } from "./colours";

/** What every chart of the page looks like, and how it behaves under a finger. */
export function chartLook({ text, line, ground }: ChartColours) {
  return {
    autoSize: true,
    layout: {
      // The library's own sign brings an inline style, which the page's policy refuses; the credit is in the footer.
      attributionLogo: false,
      fontFamily: getComputedStyle(document.body).fontFamily,
      background: { type: ColorType.Solid, color: ground },
      textColor: text,
      panes: { separatorColor: line, enableResize: true },
    },
    rightPriceScale: { borderColor: line },
    // A finger that scrolls the page must not get stuck in the chart.
    handleScroll: { vertTouchDrag: false },
  } as const;
}

const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;

const TICKS: Record<TickMarkType, Intl.DateTimeFormatOptions> = {
  [TickMarkType.Year]: { year: "numeric" },
  [TickMarkType.Month]: { month: "short" },
  [TickMarkType.DayOfMonth]: { day: "numeric" },
  [TickMarkType.Time]: CLOCK,
  [TickMarkType.TimeWithSeconds]: { ...CLOCK, second: "2-digit" },
};

/**
 * What stands under a moment, by the reader's clock as everywhere on the page: the library would write that of Greenwich. Days
 * have no moment and are left to it.
 */
export function tickText(time: Time, kind: TickMarkType, language: string): string | null {
  return typeof time === "number" ? clockOf(language, TICKS[kind]).format(time * 1000) : null;
}
