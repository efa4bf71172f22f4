import type { MouseEventParams } from "lightweight-charts";
import { expect, test } from "vitest";
import type { Drawing } from "./drawing";
import { pointedBar } from "./pointed";

const bars = [{ close: 100 }, { open: 101, high: 112, low: 99, close: 110 }];
const prices = { dataByIndex: (index: number) => bars[index] ?? null };
const [volume, average] = [{}, {}];
const drawing = { prices, volume, counted: [{ series: average }] } as unknown as Drawing;

function at(logical: number, points: [unknown, unknown][]): MouseEventParams {
  return { time: "2026-11-20", logical, seriesData: new Map(points) } as unknown as MouseEventParams;
}

test("a bar is told with its change against the one before, its volume and the lines drawn over it", () => {
  const points: [unknown, unknown][] = [
    [prices, bars[1]],
    [volume, { value: 5_000 }],
    [average, { value: 105.5 }],
  ];
  const told = pointedBar(drawing, at(1, points));
  const prices4 = { open: 101, high: 112, low: 99, close: 110 };
  expect(told).toMatchObject({ time: "2026-11-20", ...prices4, volume: 5_000, values: [105.5] });
  expect(told?.changePercent).toBeCloseTo(10);
});

test("the first bar has no change, a line no open, and too few bars no average", () => {
  expect(pointedBar(drawing, at(0, [[prices, { value: 100 }]]))).toMatchObject({
    open: null,
    close: 100,
    volume: null,
    changePercent: null,
    values: [null],
  });
});

test("beside the bars there is nothing to tell", () => {
  expect(pointedBar(drawing, at(7, []))).toBeNull();
});
