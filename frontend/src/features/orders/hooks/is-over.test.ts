import { expect, test } from "vitest";
import type { Order, OrderGroup } from "@/lib/api/types";
import { isOver } from "./is-over";

type Leg = OrderGroup["legs"][number];
const leg = (state: Leg["state"], order?: Order["state"]) =>
  ({ state, ...(order !== undefined && { order: { state: order } }) }) as Leg;

test("a group whose orders have ended or were dropped is over", () => {
  expect(isOver({ legs: [leg("placed", "cancelled"), leg("dropped"), leg("refused")] })).toBe(true);
  expect(isOver({ legs: [leg("placed", "filled"), leg("placed", "cancelled")] })).toBe(true);
});

test("a group in which an order works or waits is not", () => {
  expect(isOver({ legs: [leg("placed", "filled"), leg("waiting")] })).toBe(false);
  expect(isOver({ legs: [leg("placed", "open"), leg("dropped")] })).toBe(false);
  // Its order is on the way to the broker, and not told of yet.
  expect(isOver({ legs: [leg("placed"), leg("dropped")] })).toBe(false);
});
