import { expect, test } from "vitest";
import type { Account, Capabilities } from "@/lib/api/types";
import { Decimal } from "@/lib/decimal";
import {
  changed,
  type Draft,
  EMPTY_DRAFT,
  fewerShares,
  missingFields,
  timesInForce,
  wishOf,
  workable,
} from "./draft";

const account = { id: "a", currency: "USD" } as Account;
const draftOf = (part: Partial<Draft>): Draft => ({ ...EMPTY_DRAFT, ...part });
const orderFor = (part: Partial<Draft>, of = account) => wishOf(draftOf(part), of, "AAPL")?.order ?? null;
const korean = { id: "k", currency: "KRW" } as Account;

test("what was typed becomes plain decimals", () => {
  expect(orderFor({ quantity: "1,000" })).toMatchObject({ quantity: "1000", type: "market" });
  expect(orderFor({ quantity: "1", type: "limit", limitPrice: "1,150.50" })).toMatchObject({
    limitPrice: "1150.5",
  });
});

test("an order carries the prices of its type, whatever was typed before", () => {
  const typed = { quantity: "1", limitPrice: "150", stopPrice: "149", trail: "3" };
  expect(orderFor(typed)).toEqual({
    accountId: "a",
    symbol: "AAPL",
    side: "buy",
    type: "market",
    timeInForce: "day",
    quantity: "1",
  });
  expect(orderFor({ ...typed, type: "stop" })).not.toHaveProperty("limitPrice");
  expect(orderFor({ ...typed, type: "stop_limit" })).toMatchObject({ limitPrice: "150", stopPrice: "149" });
  expect(orderFor({ ...typed, type: "trailing_stop" })).toMatchObject({ trailPercent: "3" });
  expect(orderFor({ ...typed, type: "trailing_stop", trailIn: "amount" })).toMatchObject({
    trailAmount: "3",
  });
});

test("an unfinished draft is no order, and says what is missing", () => {
  for (const quantity of ["", "0", "-1", "ten", "1e3"]) expect(orderFor({ quantity }), quantity).toBeNull();
  for (const limitPrice of ["", "0", "-1", "abc"]) {
    expect(orderFor({ quantity: "1", type: "limit", limitPrice }), limitPrice).toBeNull();
  }
  expect(missingFields(draftOf({ type: "stop_limit", timeInForce: "gtd" }), "USD")).toEqual([
    "quantity",
    "limitPrice",
    "stopPrice",
    "expireDate",
  ]);
});

test("parts of shares are for American market and limit orders of the day", () => {
  expect(orderFor({ quantity: "1.5" })).toMatchObject({ quantity: "1.5" });
  expect(orderFor({ quantity: "1.5" }, korean)).toBeNull();
  expect(orderFor({ quantity: "1.5", timeInForce: "gtc" })).toBeNull();
  expect(orderFor({ quantity: "1.5", type: "stop", stopPrice: "1" })).toBeNull();
});

test("an amount of money takes the place of the shares", () => {
  const order = orderFor({ sizing: "money", money: "1,000.50", quantity: "7" });
  expect(order).toMatchObject({ notional: "1000.5" });
  expect(order).not.toHaveProperty("quantity");
  expect(orderFor({ sizing: "money", money: "10.005" })).toBeNull();
});

test("what does not go together is brought into line", () => {
  const money = draftOf({ sizing: "money" });
  expect(changed(money, { type: "stop" }, "USD").sizing).toBe("shares");
  expect(changed(money, { exits: true }, "USD").sizing).toBe("shares");
  expect(changed(draftOf({ timeInForce: "opg" }), { type: "trailing_stop" }, "USD").timeInForce).toBe("day");
  expect(changed(draftOf({ timeInForce: "gtd" }), { type: "stop" }, "USD").timeInForce).toBe("gtd");
  expect(timesInForce(money)).toEqual(["day"]);
});

test("a purchase with exits is a bracket, the exits of held shares cancel each other", () => {
  const exits = { quantity: "10", exits: true, takeProfit: "170", stopLoss: "140" };
  expect(wishOf(draftOf(exits), account, "AAPL")).toMatchObject({
    kind: "group",
    group: {
      kind: "bracket",
      quantity: "10",
      entry: { type: "market", timeInForce: "day" },
      takeProfit: { limitPrice: "170" },
      stopLoss: { stopPrice: "140" },
    },
    order: { side: "buy", quantity: "10" },
  });
  const oco = wishOf(draftOf({ ...exits, side: "sell", type: "limit" }), account, "AAPL");
  expect(oco).toMatchObject({ group: { kind: "oco" }, order: { side: "sell", limitPrice: "170" } });
  expect(oco).not.toHaveProperty("group.entry");
});

test("one order triggers another, for the same shares", () => {
  const oto = { quantity: "3", type: "limit", limitPrice: "150", follows: true, thenPrice: "170" } as const;
  expect(wishOf(draftOf(oto), account, "AAPL")).toMatchObject({
    kind: "group",
    group: {
      kind: "oto",
      quantity: "3",
      entry: { side: "buy", type: "limit", limitPrice: "150", timeInForce: "day" },
    },
    order: { side: "buy", quantity: "3", limitPrice: "150" },
  });
  const second = (part: Partial<Draft>) => {
    const wish = wishOf(draftOf({ ...oto, ...part }), account, "AAPL");
    return wish?.kind === "group" ? wish.group.then : null;
  };
  expect(second({})).toEqual({ side: "sell", limitPrice: "170" });
  expect(second({ thenType: "stop" })).toEqual({ side: "sell", stopPrice: "170" });
  expect(missingFields(draftOf({ ...oto, thenPrice: "" }), "USD")).toEqual(["thenPrice"]);
  expect(missingFields(draftOf({ ...oto, quantity: "1.5" }), "USD")).toEqual(["quantity"]);
});

test("a group is of one kind, and the second order goes the other way", () => {
  const then = changed(draftOf({ exits: true, sizing: "shares" }), { follows: true }, "USD");
  expect([then.exits, then.follows]).toEqual([false, true]);
  const exits = changed(then, { exits: true }, "USD");
  expect([exits.exits, exits.follows]).toEqual([true, false]);
  expect(changed(EMPTY_DRAFT, { side: "sell" }, "USD").thenSide).toBe("buy");
  expect(changed(draftOf({ sizing: "money" }), { follows: true }, "USD").sizing).toBe("shares");
});

test("fewer shares fit into the money, and every try has fewer", () => {
  const shares = (quantity: string, held: string, target: string) =>
    fewerShares(new Decimal(quantity), new Decimal(held), new Decimal(target)).toString();
  expect(shares("66", "10406.55", "10000")).toBe("63");
  expect(shares("3", "300.01", "300")).toBe("2");
  expect(shares("1", "300", "1")).toBe("0");
});

test("further orders that the broker does not work are left out, whatever was chosen before", () => {
  const broker: Pick<Capabilities, "groups"> = { groups: ["oto"] };
  expect(workable(draftOf({ exits: true }), broker)).toMatchObject({ exits: false });
  expect(workable(draftOf({ follows: true }), broker)).toMatchObject({ follows: true });
  expect(workable(draftOf({ exits: true, side: "sell" }), { groups: ["oco"] })).toMatchObject({
    exits: true,
  });
  expect(workable(draftOf({ exits: true }), { groups: ["oco"] })).toMatchObject({ exits: false });
  expect(workable(draftOf({ exits: true }), undefined)).toMatchObject({ exits: true });
});
