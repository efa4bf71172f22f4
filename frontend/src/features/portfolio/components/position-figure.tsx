import { lazy, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Position } from "@/lib/api/types";
import { Origin } from "@/lib/ui/origin";
import type { PositionFigure as Name } from "./position-origin";

// The numbers behind the figures come when one of them is opened.
const PositionOrigin = lazy(() => import("./position-origin"));

/** What each figure is called, and how it is counted. */
const WORDS = {
  quantity: ["portfolio.quantity", "origin.howQuantity"],
  averageCost: ["portfolio.averageCost", "origin.howAverageCost"],
  price: ["portfolio.marketPrice", "origin.howPrice"],
  marketValue: ["portfolio.marketValue", "origin.howValue"],
  unrealised: ["portfolio.unrealised", "origin.howUnrealised"],
  realised: ["portfolio.realised", "portfolio.howRealised"],
  dividends: ["portfolio.dividends", "origin.howDividends"],
} as const satisfies Record<Name, readonly [string, string]>;

interface Props {
  figure: Name;
  position: Position;
  children: ReactNode;
}

/** A figure of a position that opens to the way it came about. */
export function PositionFigure({ figure, position, children }: Props) {
  const { t } = useTranslation();
  const [name, rule] = WORDS[figure];
  const isFifo = figure === "averageCost" && position.costMethod === "fifo";
  return (
    <Origin
      label={`${position.symbol} · ${t(name)}`}
      rule={t(isFifo ? "origin.howAverageCostFifo" : rule)}
      numbers={() => <PositionOrigin figure={figure} position={position} />}
    >
      {children}
    </Origin>
  );
}
