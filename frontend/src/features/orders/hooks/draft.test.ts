import { expect, test } from "vitest";
import type { Account } from "@/lib/api/types";
import { type Draft, EMPTY_DRAFT, orderOf } from "./draft";

const account = { id: "a", currency: "USD" } as Account;
const orderFor = (part: Partial<Draft>) => orderOf({ ...EMPTY_DRAFT, ...part }, account, "AAPL");

test("what was typed becomes plain decimals", () => {
  expect(orderFor({ quantity: "1,000" })).toMatchObject({ quantity: "1000", type: "market" });
  expect(orderFor({ quantity: "1", type: "limit", limitPrice: "1,150.50" })).toMatchObject({
    limitPrice: "1150.5",
  });
});

test("a market order carries no limit price, whatever was typed before", () => {
  expect(orderFor({ quantity: "1", limitPrice: "150" })).not.toHaveProperty("limitPrice");
});

test("an unfinished draft is no order", () => {
  for (const quantity of ["", "0", "-1", "1.5", "ten", "1e3"])
    expect(orderFor({ quantity }), quantity).toBeNull();
  for (const limitPrice of ["", "0", "-1", "abc"]) {
    expect(orderFor({ quantity: "1", type: "limit", limitPrice }), limitPrice).toBeNull();
  }
});
