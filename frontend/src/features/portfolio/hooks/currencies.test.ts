import { expect, test } from "vitest";
import { Decimal } from "@/lib/decimal";
import { betweenCurrencies, readRate } from "./currencies";

const total = (currency: "USD" | "KRW", amount: string | null) => ({
  currency,
  total: amount === null ? null : new Decimal(amount),
});

test("currencies are parts of one whole at the rate that was said", () => {
  const parts = betweenCurrencies([total("USD", "1000"), total("KRW", "600000")], new Decimal(1400));
  expect(parts?.map(({ currency, percent }) => [currency, percent.toString()])).toEqual([
    ["USD", "70"],
    ["KRW", "30"],
  ]);
});

test("what is not known, and debts, are no parts", () => {
  const rate = new Decimal(1400);
  expect(betweenCurrencies([total("USD", null), total("KRW", "1")], rate)).toBeNull();
  expect(betweenCurrencies([total("USD", "-1"), total("KRW", "9999")], rate)).toBeNull();
  expect(betweenCurrencies([total("USD", "0"), total("KRW", "0")], rate)).toBeNull();
});

test("a rate is a number above zero", () => {
  expect(readRate("1,385.5")?.toString()).toBe("1385.5");
  for (const text of ["", "0", "-1", "about 1400"]) expect(readRate(text), text).toBeNull();
});
