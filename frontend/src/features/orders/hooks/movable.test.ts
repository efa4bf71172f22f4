import { expect, test } from "vitest";
import type { Order } from "@/lib/api/types";
import { movablePrices } from "./movable";

const order = (part: Partial<Order>) => ({ id: "o", type: "limit", ...part }) as Order;
const fields = (part: Partial<Order>) => movablePrices(order(part)).map(({ field, price }) => [field, price]);

test("every price of the trader's own can be moved", () => {
  expect(fields({ limitPrice: "10" })).toEqual([["limitPrice", "10"]]);
  expect(fields({ type: "stop_limit", limitPrice: "10", stopPrice: "9" })).toEqual([
    ["limitPrice", "10"],
    ["stopPrice", "9"],
  ]);
});

test("what follows the market or was triggered cannot", () => {
  expect(fields({ type: "trailing_stop", stopPrice: "9" })).toEqual([]);
  expect(fields({ type: "stop", stopPrice: "9", triggeredAt: "2026-01-02T10:00:00Z" })).toEqual([]);
  expect(fields({ type: "market" })).toEqual([]);
});
