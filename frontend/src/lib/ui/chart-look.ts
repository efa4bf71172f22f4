import { ColorType } from "lightweight-charts";
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
