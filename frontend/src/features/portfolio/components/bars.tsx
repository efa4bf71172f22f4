import type { Decimal } from "@/lib/decimal";
import { formatPercent } from "@/lib/format";

interface Bar {
  name: string;
  /** The amount behind it. */
  title: string;
  percent: Decimal;
  strong: boolean;
}

/** Parts of a whole, one below the other. */
export function Bars({ bars }: { bars: readonly Bar[] }) {
  return (
    <ul className="space-y-1 text-xs">
      {bars.map(({ name, title, percent, strong }) => (
        <li key={name} className="grid grid-cols-[5.5rem_1fr_3.5rem] items-center gap-2">
          <span className="truncate">{name}</span>
          <span className="h-2 rounded-full bg-raised" title={title}>
            <span
              className={`block h-2 rounded-full ${strong ? "bg-accent" : "bg-soft/50"}`}
              style={{ width: `${percent.toFixed(2)}%` }}
            />
          </span>
          <span className="text-right">{formatPercent(percent).replace(/^\+/, "")}</span>
        </li>
      ))}
    </ul>
  );
}
