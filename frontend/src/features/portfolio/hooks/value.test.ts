import { expect, test } from "vitest";
import type { Position } from "@/lib/api/types";
import { plainText } from "@/lib/decimal";
import { valueOfAccount, valueOfPosition } from "./value";

const position = (part: Partial<Position> = {}) =>
  ({ symbol: "AAPL", quantity: "10", cost: "1500.50", marketPrice: "151", ...part }) as Position;

test("a position is valued at the live price, else at the server's", () => {
  expect(valueOfPosition(position(), "152.05").unrealised?.toString()).toBe("20");
  expect(valueOfPosition(position(), undefined).unrealised?.toString()).toBe("9.5");
  expect(valueOfPosition(position({ marketPrice: null }), undefined).marketValue).toBeNull();
});

test("the account's profit is its worth less what was paid in", () => {
  const value = valueOfAccount({ cash: "8499.50", netDeposits: "10000" }, [position()], () => "160");
  expect(value && plainText(value.totalValue)).toBe("10099.5");
  expect(value && plainText(value.totalPnl)).toBe("99.5");
  expect(value?.totalPnlPercent?.toFixed(3)).toBe("0.995");
});

test("a total without a price for everything is no total", () => {
  const positions = [position(), position({ symbol: "IBM", marketPrice: null })];
  expect(valueOfAccount({ cash: "1", netDeposits: "1" }, positions, () => undefined)).toBeNull();
  const sold = position({ symbol: "IBM", quantity: "0", cost: "0", marketPrice: null });
  expect(
    valueOfAccount({ cash: "1", netDeposits: "0" }, [sold], () => undefined)?.totalPnlPercent,
  ).toBeNull();
});
