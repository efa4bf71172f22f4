import {
  createSeriesMarkers,
  type IPriceLine,
  type ISeriesMarkersPluginApi,
  type SeriesMarker,
  type Time,
} from "lightweight-charts";
import type { Side } from "@/lib/api/types";
import { Decimal, plainText } from "@/lib/decimal";
import { type PriceGrid, roundToTick } from "@/lib/ticks";
import { type ChartInterval, type DrawnBar, timeOfMoment } from "./bars";
import type { Drawing } from "./drawing";

/** A price that is drawn as a line: of an open order, or what the shares have cost. */
export interface ChartLine {
  id: string;
  price: string;
  title: string;
  tone: "buy" | "sell" | "cost";
  /** Whether the line can be taken to another price. */
  movable: boolean;
}

/** An execution that is drawn at its bar. */
export interface ChartFill {
  id: string;
  side: Side;
  occurredAt: string;
  /** The trading day of its price, where that is known. */
  sessionDate?: string | null | undefined;
  text: string;
}

/** How near a pointer must be to take a line, in pixels. */
const GRASP_PIXELS = 7;
/** Digits behind the point of the price under a pointer. */
const WISHED_DIGITS = 6;

/** Draws lines and executions over the prices, and lets a line be taken to another price. */
export class Overlays {
  readonly #lines = new Map<string, { line: ChartLine; drawn: IPriceLine }>();
  readonly #markers: ISeriesMarkersPluginApi<Time>;
  readonly #stop = new AbortController();
  #grasped: { id: string; price: string } | null = null;

  constructor(
    private readonly container: HTMLElement,
    private readonly drawing: Drawing,
    /** The steps of the prices; null while they are not known. */
    private readonly grid: () => PriceGrid | null,
    private readonly onMoved: (id: string, price: string) => void,
  ) {
    this.#markers = createSeriesMarkers(drawing.prices as never, []);
    const options = { signal: this.#stop.signal, capture: true };
    container.addEventListener("pointerdown", (event) => this.#grasp(event), options);
    container.addEventListener("pointermove", (event) => this.#follow(event), options);
    container.addEventListener("pointerup", () => this.#release(true), options);
    container.addEventListener("pointercancel", () => this.#release(false), options);
  }

  setLines(lines: readonly ChartLine[]): void {
    if (this.drawing.isGone) return;
    for (const { drawn } of this.#lines.values()) this.drawing.prices.removePriceLine(drawn);
    this.#lines.clear();
    const { up, down, warn } = this.drawing.colours;
    const colours = { buy: up, sell: down, cost: warn };
    for (const line of lines) {
      const { price, title, tone } = line;
      const options = {
        price: Number(price),
        title,
        color: colours[tone],
        lineWidth: 1,
        lineStyle: 2,
      } as const;
      this.#lines.set(line.id, { line, drawn: this.drawing.prices.createPriceLine(options) });
    }
  }

  setFills(fills: readonly ChartFill[], bars: readonly DrawnBar[], interval: ChartInterval): void {
    if (this.drawing.isGone) return;
    const { up, down } = this.drawing.colours;
    const markers = fills.flatMap((fill): SeriesMarker<Time>[] => {
      const time = timeOfMoment(fill.occurredAt, bars, interval, fill.sessionDate);
      if (time === null) return [];
      return fill.side === "buy"
        ? [{ time, position: "belowBar", shape: "arrowUp", color: up, text: fill.text }]
        : [{ time, position: "aboveBar", shape: "arrowDown", color: down, text: fill.text }];
    });
    const order = (marker: SeriesMarker<Time>) => String(marker.time);
    this.#markers.setMarkers(markers.sort((left, right) => order(left).localeCompare(order(right))));
  }

  stop(): void {
    this.#stop.abort();
  }

  #height(event: PointerEvent): number {
    return event.clientY - this.container.getBoundingClientRect().top;
  }

  #near(event: PointerEvent): ChartLine | null {
    const height = this.#height(event);
    for (const { line } of this.#lines.values()) {
      const at = this.drawing.prices.priceToCoordinate(Number(line.price));
      if (line.movable && at !== null && Math.abs(at - height) <= GRASP_PIXELS) return line;
    }
    return null;
  }

  #grasp(event: PointerEvent): void {
    const line = this.#near(event);
    // Without the steps of the prices no price can be meant.
    if (line === null || this.grid() === null) return;
    this.#grasped = { id: line.id, price: line.price };
    this.container.setPointerCapture(event.pointerId);
    this.drawing.chart.applyOptions({ handleScroll: false, handleScale: false });
  }

  #follow(event: PointerEvent): void {
    const grasped = this.#grasped;
    if (grasped === null) {
      this.container.style.cursor = this.#near(event) === null ? "" : "ns-resize";
      return;
    }
    const price = this.drawing.prices.coordinateToPrice(this.#height(event));
    const grid = this.grid();
    if (price === null || grid === null || !(price > 0)) return;
    grasped.price = plainText(roundToTick(new Decimal(price.toFixed(WISHED_DIGITS)), grid));
    this.#lines.get(grasped.id)?.drawn.applyOptions({ price: Number(grasped.price) });
  }

  #release(done: boolean): void {
    const grasped = this.#grasped;
    if (grasped === null) return;
    this.#grasped = null;
    this.drawing.chart.applyOptions({ handleScroll: { vertTouchDrag: false }, handleScale: true });
    const known = this.#lines.get(grasped.id);
    if (known === undefined) return;
    // Until the order has its new price, the line stands where the order is.
    known.drawn.applyOptions({ price: Number(known.line.price) });
    if (done && grasped.price !== known.line.price) this.onMoved(grasped.id, grasped.price);
  }
}
