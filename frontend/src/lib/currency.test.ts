import { expect, test } from "vitest";
import { currencyOf, fittingSymbol } from "./currency";

test("a symbol knows its currency", () => {
  expect(["AAPL", "BRK-B", "005930.KS", "035720.KQ"].map(currencyOf)).toEqual(["USD", "USD", "KRW", "KRW"]);
});

test("the first symbol shown is one that the account can trade", () => {
  const listed = [
    { symbol: "000270.KS", simulated: true },
    { symbol: "AAPL", simulated: false },
    { symbol: "005930.KS", simulated: false },
  ];
  expect(fittingSymbol("KRW", ["AAPL", "000270.KS"], listed)).toBe("000270.KS");
  expect(fittingSymbol("KRW", ["AAPL"], listed)).toBe("005930.KS");
  expect(fittingSymbol("USD", ["000270.KS"], listed)).toBe("AAPL");
  expect(fittingSymbol(undefined, ["AAPL", "005930.KS"], listed)).toBe("AAPL");
  expect(fittingSymbol("KRW", ["AAPL"], [])).toBe("AAPL");
  expect(fittingSymbol("KRW", [], [])).toBeNull();
});
