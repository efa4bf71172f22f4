import { expect, test } from "vitest";
import type { Order } from "@/lib/api/types";
import { changeableTerms, changedTerms, termsOf } from "./terms";

const limit = { type: "limit", quantity: "10", limitPrice: "150.50", stopPrice: null } as Order;

test("an order has the terms of its type", () => {
  expect(termsOf(limit)).toEqual({ quantity: "10", limitPrice: "150.5" });
  const trailing = { type: "trailing_stop", quantity: "5", stopPrice: "140.2", trailPercent: "3" } as Order;
  expect(termsOf(trailing)).toEqual({ quantity: "5", trailPercent: "3" });
});

test("only what is different is asked for", () => {
  const before = termsOf(limit);
  expect(changedTerms(before, { quantity: "10.0", limitPrice: "1,149" })).toEqual({ limitPrice: "1149" });
  expect(changedTerms(before, before)).toEqual({});
});

test("what is no number above zero is not sent", () => {
  for (const limitPrice of ["", "0", "-1", "abc"])
    expect(changedTerms(termsOf(limit), { quantity: "10", limitPrice }), limitPrice).toBeNull();
});

test("the number of shares is changed only where the broker changes it", () => {
  expect(changeableTerms(limit, { replaceQuantity: false })).toEqual({ limitPrice: "150.5" });
  expect(changeableTerms(limit, { replaceQuantity: true })).toEqual(termsOf(limit));
  expect(changeableTerms(limit, undefined)).toEqual(termsOf(limit));
});
