import { expect, test } from "vitest";
import { readAmount } from "./amount";

test("cash has whole minor units and is above zero", () => {
  expect(readAmount("1,000.50", "USD")?.toString()).toBe("1000.5");
  expect(readAmount("1000", "KRW")?.toString()).toBe("1000");
  for (const text of ["", "0", "-5", "ten", "1.005"]) expect(readAmount(text, "USD"), text).toBeNull();
  expect(readAmount("1000.5", "KRW")).toBeNull();
});
