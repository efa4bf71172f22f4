import { beforeEach, expect, test } from "vitest";
import type { Fill, OrderDetail } from "@/lib/api/types";
import { addFill, fillsOf, forgetFills, hasFill, mergeFills } from "./fills";

const fill = (part: Partial<Fill> = {}) =>
  ({
    accountId: "account-1",
    orderId: "order-1",
    executionId: "1",
    occurredAt: "2026-01-05T10:00:00Z",
    ...part,
  }) as Fill;

beforeEach(forgetFills);

test("a fill that is told twice counts once, and each account has its own", () => {
  expect([addFill(fill()), addFill(fill()), addFill(fill({ accountId: "account-2" }))]).toEqual([
    true,
    false,
    true,
  ]);
  expect([hasFill("order-1"), hasFill("order-2")]).toEqual([true, false]);
});

test("fills of before the visit and of it stand in one list, newest first", () => {
  const early = fill({ executionId: "2", occurredAt: "2026-01-04T10:00:00Z" });
  const late = fill({ executionId: "3", occurredAt: "2026-01-06T10:00:00Z" });
  expect(mergeFills([late, fill()], [fill(), early]).map(({ executionId }) => executionId)).toEqual([
    "3",
    "1",
    "2",
  ]);
});

test("a fill keeps the day of its price, whoever knows it", () => {
  const day = "2006-02-27";
  const seen = { ...fill(), sessionDate: day };
  expect(mergeFills([seen], [fill()])[0]?.sessionDate).toBe(day);
  expect(mergeFills([fill()], [seen])[0]?.sessionDate).toBe(day);
  // What the server wrote down wins over what the page took it for.
  expect(mergeFills([{ ...seen, sessionDate: "2006-02-28" }], [seen])[0]?.sessionDate).toBe(day);
});

test("an order's history tells its fills", () => {
  const order = {
    id: "order-1",
    accountId: "account-1",
    symbol: "AAPL",
    side: "buy",
    currency: "USD",
    executions: [
      {
        executionId: "1",
        quantity: "10",
        price: "150",
        commission: "0.5",
        tax: "0",
        occurredAt: "2026-01-05T10:00:00Z",
        sessionDate: "2006-02-27",
      },
    ],
  } as unknown as OrderDetail;
  expect(fillsOf(order)).toEqual([
    {
      ...fill({
        symbol: "AAPL",
        side: "buy",
        currency: "USD",
        quantity: "10",
        price: "150",
        commission: "0.5",
        tax: "0",
      }),
      sessionDate: "2006-02-27",
    },
  ]);
});
