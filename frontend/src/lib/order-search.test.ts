import { expect, test } from "vitest";
import { orderQuery, readOrderSearch, startOfDay } from "./order-search";

test("an address is read, and what is no filter is left out", () => {
  expect(readOrderSearch({ status: "filled", symbol: "005930.KS", side: "sell", text: " late " })).toEqual({
    status: "filled",
    symbol: "005930.KS",
    side: "sell",
    text: "late",
  });
  const nonsense = {
    status: "lost",
    symbol: "<script>",
    side: 1,
    type: "iceberg",
    from: "yesterday",
    text: " ",
  };
  expect(readOrderSearch(nonsense)).toEqual({});
});

test("the last day of a search is searched as a whole", () => {
  const query = orderQuery({ from: "2026-02-28", to: "2026-02-28" }, "a");
  expect(query.from).toBe(new Date(2026, 1, 28).toISOString());
  expect(query.to).toBe(new Date(2026, 2, 1).toISOString());
  expect(query).toMatchObject({ accountId: "a", status: "all" });
  expect(query).not.toHaveProperty("symbol");
});

test("what is no day begins never", () => {
  expect(startOfDay("soon")).toBeNull();
});
