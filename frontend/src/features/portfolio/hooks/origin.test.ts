import { expect, test } from "vitest";
import type { AccountValue, Position } from "@/lib/api/types";
import { Decimal, sum } from "@/lib/decimal";
import { cashTerms, gainTerms, ofClosed, originsOf, taxParts } from "./origin";

const value = {
  cash: "8463",
  netDeposits: "10000",
  realisedPnl: "50",
  dividends: "20",
  commission: "4",
  exchangeFees: "1",
  tax: "2",
  interest: "0",
} as AccountValue;
const position = {
  symbol: "AAPL",
  quantity: "10",
  cost: "1600",
  realisedPnl: "30",
  dividends: "20",
  marketPrice: "150",
} as Position;

test("the terms of the cash add up to it", () => {
  const terms = cashTerms(value, [position]);
  expect(sum(terms.map(({ amount }) => amount)).toString()).toBe("8463");
  expect(terms.map(({ name }) => name)).not.toContain("rest");
});

test("what credit has cost is a term of its own", () => {
  const terms = cashTerms({ ...value, cash: "8462.25", interest: "-0.75" }, [position]);
  expect(terms.find(({ name }) => name === "interest")?.amount.toString()).toBe("-0.75");
  expect(terms.map(({ name }) => name)).not.toContain("rest");
});

test("what nobody can explain is told and not hidden", () => {
  const rest = cashTerms({ ...value, cash: "8465.5" }, [position]).at(-1);
  expect([rest?.name, rest?.amount.toString()]).toEqual(["rest", "2.5"]);
});

test("the terms of the gain add up to it", () => {
  const terms = gainTerms(value, new Decimal(1700));
  expect(sum(terms.map(({ amount }) => amount)).toString()).toBe("163");
});

test("a share's part is made of its quantity, its price of now and its cost", () => {
  const [origin] = originsOf([position], () => "175.5");
  expect([origin?.price?.toString(), origin?.value?.toString(), origin?.unrealised?.toString()]).toEqual([
    "175.5",
    "1755",
    "155",
  ]);
  expect(ofClosed("50", [origin?.realised ?? "0"]).toString()).toBe("20");
});

test("taxes are told by what they were paid for", () => {
  // 10 of dividends came in as 8.50, and 0.75 were taken for them later.
  const { onDividends, onTrades } = taxParts({ tax: "4.5", dividends: "10" }, [
    { amount: "8.5" },
    { amount: "-0.75" },
  ]);
  expect([onDividends.toString(), onTrades.toString()]).toEqual(["2.25", "2.25"]);
  expect(taxParts({ tax: "4.5", dividends: "0" }, []).onTrades.toString()).toBe("4.5");
});
