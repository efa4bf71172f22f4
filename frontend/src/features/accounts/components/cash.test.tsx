// @vitest-environment jsdom
import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import type { Account, AccountBalance, CurrencyBalance } from "@/lib/api/types";
import { sampleOf } from "@/testing/api-description";
import { MockApi } from "@/testing/mock-api";
import { hearNewsInEachTest } from "@/testing/practice";
import { show } from "@/testing/render";
import { Cash } from "./cash";
import "@/testing/set-up";

const sample = <T,>(name: string) => sampleOf({ $ref: `#/components/schemas/${name}` }) as T;
const account: Account = { ...sample<Account>("Account"), broker: "simulator", currency: "USD" };
const dollars: CurrencyBalance = {
  ...sample<CurrencyBalance>("CurrencyBalance"),
  currency: "USD",
  cash: "10000",
  settled: "9000",
  unsettled: "1000",
  held: "250",
  buyingPower: "9750",
  withdrawable: "8750",
  unsettledDays: [],
};
const won: CurrencyBalance = { ...dollars, currency: "KRW", cash: "50000", buyingPower: "50000" };
let server: MockApi;

hearNewsInEachTest();
beforeEach(() => {
  server = new MockApi().install();
});

async function showCash(margin: boolean) {
  const balance = { ...sample<AccountBalance>("AccountBalance"), accountId: account.id };
  server.on("GET /api/accounts/{id}/balance", { ...balance, ...dollars, currencies: [dollars, won] });
  const use = {
    ...{
      equity: "10000",
      borrowed: "0",
      longValue: "0",
      shortValue: "0",
      required: "0",
      requiredToStay: "0",
    },
    ...{ available: "9750", buyingPower: "19500", isPriced: true },
  };
  server.on("GET /api/accounts/{id}/margin", { accountId: account.id, margin, ...(margin && { use }) });
  await show(<Cash account={account} />);
}

const row = async (currency: string) => {
  const card = await screen.findByRole("region", { name: currency });
  return within(card).getByText("Buying power").parentElement;
};

test("what can be bought for counts the credit in, in the currency in which it is given", async () => {
  await showCash(true);
  const own = await row("USD");
  await waitFor(() => expect(own?.textContent).toBe("Buying power$19,500.00"));
  expect((await row("KRW"))?.textContent).toBe("Buying power₩50,000");
});

test("without credit it is the account's own", async () => {
  await showCash(false);
  const own = await row("USD");
  await waitFor(() => expect(own?.textContent).toBe("Buying power$9,750.00"));
});
