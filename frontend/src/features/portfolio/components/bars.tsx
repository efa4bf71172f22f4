import type { ReactNode } from "react";
import type { Decimal } from "@/lib/decimal";
import { formatPercent } from "@/lib/format";
import { Origin } from "@/lib/ui/origin";

interface Bar {
  name: string;
  /** How it is counted, and the numbers of it. */
  rule: string;
  numbers: () => ReactNode;
  percent: Decimal;
  strong: boolean;
}

/** Parts of a whole, one below the other, each of which opens to the way it came about. */
export function Bars({ bars }: { bars: readonly Bar[] }) {
  return (
    <ul className="space-y-1 text-xs">
      {bars.map(({ name, rule, numbers, percent, strong }) => (
        <li key={name} className="grid grid-cols-[5.5rem_1fr_3.5rem] items-center gap-2">
          <span className="truncate">{name}</span>
          <span className="h-2 rounded-full bg-raised">
            <span
              className={`block h-2 rounded-full ${strong ? "bg-accent" : "bg-soft/50"}`}
              style={{ width: `${percent.toFixed(2)}%` }}
            />
          </span>
          <span className="text-right">
            <Origin label={name} rule={rule} numbers={numbers}>
              {formatPercent(percent).replace(/^\+/, "")}
            </Origin>
          </span>
        </li>
      ))}
    </ul>
  );
}
