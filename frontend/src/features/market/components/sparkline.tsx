import { useQuery } from "@tanstack/react-query";
import { DIRECTION_CLASS, type Direction } from "@/lib/format";
import { sparklineQuery } from "../api/market";
import { sparklinePath } from "../chart/sparkline";

const WIDTH = 44;
const HEIGHT = 18;

/** Where a share's closes have gone in the last weeks. Decoration: the chart tells the same in full. */
export function Sparkline({ symbol }: { symbol: string }) {
  const { data: closes } = useQuery(sparklineQuery(symbol));
  const path = sparklinePath(closes ?? [], WIDTH, HEIGHT);
  if (closes === undefined || path === "") return null;
  const gone = (closes.at(-1) ?? 0) - (closes[0] ?? 0);
  const direction: Direction = gone === 0 ? "flat" : gone > 0 ? "up" : "down";
  return (
    <svg
      aria-hidden="true"
      data-testid={`sparkline-${symbol}`}
      viewBox={`-1 -1 ${WIDTH + 2} ${HEIGHT + 2}`}
      width={WIDTH}
      height={HEIGHT}
      className={DIRECTION_CLASS[direction]}
    >
      <path d={path} fill="none" stroke="currentColor" strokeWidth="1.25" strokeLinejoin="round" />
    </svg>
  );
}
