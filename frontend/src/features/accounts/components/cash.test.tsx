// @vitest-environment jsdom
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import type { Account, AccountBalance, CurrencyBalance, Order } from "@/lib/api/types";
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

async function showCash(margin: boolean, own: CurrencyBalance = dollars) {
  const balance = { ...sample<AccountBalance>("AccountBalance"), accountId: account.id };
  server.on("GET /api/accounts/{id}/balance", { ...balance, ...own, currencies: [own, won] });
  const use = {
    ...{
      equity: "10000",
      borrowed: "0",
      longValue: "0",
      shortValue: "0",
      required: "0",
      requiredToStay: "0",
    },
    ...{ available: "9750", buyingPower: "19500", isPriced: true, cash: "10000", shares: [] },
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

/** The lines behind a figure of the dollars, as one text each; it is closed again. */
async function opened(figure: HTMLElement): Promise<string[]> {
  await userEvent.click(figure);
  const origin = within(await screen.findByRole("dialog"));
  const rows = (await origin.findAllByRole("row")).map((row) => row.textContent ?? "");
  await userEvent.keyboard("{Escape}");
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  return rows;
}

test("every sum of the cash opens to how it came about", async () => {
  const order = {
    ...sample<Order>("Order"),
    ...{ accountId: account.id, symbol: "AAPL", side: "buy", currency: "USD", held: "200", state: "open" },
    ...{ leavesQuantity: "2", limitPrice: "99" },
  };
  const line = {
    ...sample<object>("StatementLine"),
    ...{ kind: "fill", ledgerAccount: "receivable", commodity: "USD", symbol: "AAPL", amount: "1100" },
    ...{ settleDate: "2026-11-24", bookedAt: "2026-11-23T15:00:00Z" },
  };
  server.on("GET /api/orders", { orders: [order] });
  server.on("GET /api/accounts/{id}/statement", {
    lines: [line, { ...line, settleDate: "2026-11-25", amount: "7" }, { ...line, ledgerAccount: "cash" }],
  });
  const unsettledDays = [{ settleDate: "2026-11-24", receivable: "1100", payable: "100" }];
  await showCash(false, { ...dollars, unsettledDays });
  const card = within(await screen.findByRole("region", { name: "USD" }));
  const figure = (label: string) =>
    within(card.getByText(label).nextElementSibling as HTMLElement).getByRole("button");
  expect(await opened(card.getByRole("button", { name: "$10,000.00" }))).toEqual([
    "Settled+9,000.00",
    "Settles later+1,000.00",
    "=+10,000.00",
  ]);
  expect(await opened(figure("Settled"))).toEqual([
    "Cash+10,000.00",
    "To be received−1,100.00",
    "To be paid+100.00",
    "=+9,000.00",
  ]);
  expect(await opened(figure("Held for orders"))).toEqual([
    "AAPL 2 × 99.00200.00",
    "Other orders50.00",
    "=250.00",
  ]);
  expect(await opened(figure("Buying power"))).toEqual([
    "Cash+10,000.00",
    "Held for orders−250.00",
    "=+9,750.00",
  ]);
  expect(await opened(figure("Can be taken out"))).toEqual([
    "Settled+9,000.00",
    "Held for orders−250.00",
    "=+8,750.00",
  ]);
  const [trade, others, result] = await opened(figure("Settles on Nov 24, 2026"));
  expect(trade).toMatch(/Execution AAPL\+1,100\.00$/);
  expect([others, result]).toEqual(["All those before−100.00", "=+1,000.00"]);
});
