import { expect, test } from "vitest";
import type { Lot, OrderPreview, PlaceOrder, Position } from "@/lib/api/types";
import { Decimal } from "@/lib/decimal";
import { type Before, consequencesOf } from "./consequences";

const estimate = (part: Partial<OrderPreview> = {}) =>
  ({
    estimatedPrice: "150",
    quantity: "10",
    commission: "1",
    tax: "0",
    total: "1501",
    ...part,
  }) as OrderPreview;
const order = (part: Partial<PlaceOrder> = {}) =>
  ({ side: "buy", type: "market", quantity: "10", ...part }) as PlaceOrder;
const position = (part: Partial<Position> = {}) =>
  ({ quantity: "30", averageCost: "120", costMethod: "average", ...part }) as Position;
const lots = [
  { acquiredOn: "2026-01-02", quantity: "6", cost: "600" },
  { acquiredOn: "2026-03-04", quantity: "24", cost: "3000" },
] as Lot[];
const before = (part: Partial<Before> = {}): Before => ({
  cash: "10000",
  worth: new Decimal("10000"),
  position: undefined,
  lots: [],
  lastPrice: "150",
  ...part,
});

test("a purchase takes its cost from the cash and becomes a part of the account", () => {
  const after = consequencesOf(order(), estimate(), before());
  expect(after.cashAfter?.toString()).toBe("8499");
  expect(after.sharesAfter?.toString()).toBe("10");
  expect(after.shareOfWorthAfter?.toFixed(2)).toBe("15.00");
  expect(after.gain).toBeNull();
});

test("a sale says what it gains, by the account's way of counting", () => {
  const sale = order({ side: "sell" });
  const brings = estimate({ total: "1499" });
  const held = before({ position: position(), lots });
  const average = consequencesOf(sale, brings, held);
  expect(average.cashAfter?.toString()).toBe("11499");
  expect(average.sharesAfter?.toString()).toBe("20");
  expect(average.gain?.toString()).toBe("300");
  const fifo = consequencesOf(sale, brings, { ...held, position: position({ costMethod: "fifo" }) });
  // Six at 100 and four at 125.
  expect(fifo.gain?.toString()).toBe("400");
  expect(fifo.soldLots.map((lot) => [lot.acquiredOn, lot.quantity.toString()])).toEqual([
    ["2026-01-02", "6"],
    ["2026-03-04", "4"],
  ]);
});

test("what is sold short gains when it is bought back, and only that part", () => {
  const short = position({ quantity: "-4", averageCost: "160" });
  const shortLots = [{ acquiredOn: "2026-01-02", quantity: "-4", cost: "-640" }] as Lot[];
  const held = before({ position: short, lots: shortLots });
  const average = consequencesOf(order(), estimate(), held);
  expect(average.sharesAfter?.toString()).toBe("6");
  expect(average.gain?.toString()).toBe("40");
  const fifo = consequencesOf(order(), estimate(), { ...held, position: { ...short, costMethod: "fifo" } });
  expect(fifo.gain?.toString()).toBe("40");
  expect(fifo.soldLots.map((lot) => [lot.quantity.toString(), lot.gain.toString()])).toEqual([["4", "40"]]);
});

test("selling more than is held gains on what is held; selling short more gains nothing yet", () => {
  const sale = order({ side: "sell", quantity: "50" });
  const brings = estimate({ quantity: "50", total: "7499" });
  const crossing = consequencesOf(sale, brings, before({ position: position(), lots }));
  expect(crossing.sharesAfter?.toString()).toBe("-20");
  expect(crossing.gain?.toString()).toBe("900");
  const short = position({ quantity: "-4", averageCost: "160" });
  expect(consequencesOf(sale, brings, before({ position: short, lots: [] })).gain).toBeNull();
});

test("a gain that is not known is not told", () => {
  const fifo = position({ costMethod: "fifo" });
  const sale = order({ side: "sell" });
  expect(consequencesOf(sale, estimate(), before({ position: fifo, lots: undefined })).gain).toBeNull();
  expect(
    consequencesOf(sale, estimate(), before({ position: fifo, lots: lots.slice(0, 1) })).gain,
  ).toBeNull();
});

test("the distance from the market is told of the price that the order has", () => {
  const distance = (part: Partial<PlaceOrder>) =>
    consequencesOf(order(part), estimate(), before()).distancePercent?.toFixed(1) ?? null;
  expect(distance({ limitPrice: "147" })).toBe("-2.0");
  expect(distance({ stopPrice: "153" })).toBe("2.0");
  expect(distance({})).toBeNull();
});

test("without a price for everything there is no share of the worth", () => {
  expect(consequencesOf(order(), estimate(), before({ worth: null })).shareOfWorthAfter).toBeNull();
});
