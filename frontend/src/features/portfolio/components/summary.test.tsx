// @vitest-environment jsdom
import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import type { Account, AccountValue, Balance, Position } from "@/lib/api/types";
import { useEventsStatus } from "@/lib/events-status";
import type { LiveQuote } from "@/lib/quotes/quote";
import { quotes, useQuotesStatus } from "@/lib/quotes/socket";
import { sampleOf } from "@/testing/api-description";
import { MockApi } from "@/testing/mock-api";
import { show } from "@/testing/render";
import { Summary } from "./summary";
import "@/testing/set-up";

const sample = <T,>(name: string) => sampleOf({ $ref: `#/components/schemas/${name}` }) as T;
const account = { ...sample<Account>("Account"), name: "Main", currency: "USD" } as Account;
const accountId = account.id;
const balance = { ...sample<Balance>("Balance"), accountId, cash: "900", buyingPower: "850", held: "50" };
const PORTFOLIO = "GET /api/portfolio";
const POSITIONS = "GET /api/portfolio/positions";
let server: MockApi;

beforeEach(() => {
  server = new MockApi().install();
  useEventsStatus.setState({ status: "open", ready: true });
  useQuotesStatus.setState({ status: "open" });
});

function holds(value: Partial<AccountValue>, positions: Partial<Position>[]) {
  const none = { cost: "0", averageCost: "0", realisedPnl: "0", dividends: "0" };
  server.on(PORTFOLIO, {
    accounts: [
      {
        ...sample<AccountValue>("AccountValue"),
        accountId,
        currency: "USD",
        cash: "900",
        commission: "1.5",
        ...value,
      },
    ],
  });
  server.on(POSITIONS, {
    positions: positions.map((part) => ({
      ...sample<Position>("Position"),
      accountId,
      currency: "USD",
      ...none,
      ...part,
    })),
  });
}

async function price(symbol: string, text: string, currency: "USD" | "KRW") {
  await act(async () => {
    quotes.put(symbol, { symbol, price: text, currency } as LiveQuote);
    await new Promise(requestAnimationFrame);
  });
}

test("the worth is the cash and the shares at the price of now, and what was paid in is no gain", async () => {
  holds({ netDeposits: "1000", tax: "0.5" }, [{ symbol: "MSFT", quantity: "2", cost: "100" }]);
  await show(<Summary account={account} balance={balance} buyingPower="–" />);
  await price("MSFT", "60", "USD");
  expect((await screen.findByTestId("total-value")).textContent).toBe("$1,020.00");
  expect(screen.getByTestId("total-pnl").textContent).toContain("+20.00+2.00%");
  await price("MSFT", "40", "USD");
  expect(screen.getByTestId("total-value").textContent).toBe("$980.00");
  expect(screen.getByTestId("total-pnl").textContent).toContain("−20.00−2.00%");
  expect(screen.getByText("Fees and taxes paid").nextElementSibling?.textContent).toBe("$2.00");
});

test("shares of another currency are not added", async () => {
  holds({ netDeposits: "900" }, [{ symbol: "005930.KS", quantity: "10", currency: "KRW" }]);
  await show(<Summary account={account} balance={balance} buyingPower="–" />);
  await price("005930.KS", "70000", "KRW");
  expect((await screen.findByTestId("total-value")).textContent).toBe("$900.00");
});

test("while a share has no price there is no total that leaves it out", async () => {
  holds({ netDeposits: "1000" }, [{ symbol: "NOPE", quantity: "1", cost: "100" }]);
  await show(<Summary account={account} balance={balance} buyingPower="–" />);
  expect((await screen.findByTestId("total-value")).textContent).toBe("–");
  expect(screen.getByTestId("cash").textContent).toBe("$900.00");
});

test("every figure of the summary opens to how it came about", async () => {
  holds({ netDeposits: "1000", realisedPnl: "5", tax: "0.5" }, [
    { symbol: "IBM", quantity: "2", cost: "100", marketPrice: "60" },
  ]);
  await show(<Summary account={account} balance={balance} buyingPower="–" />);
  await screen.findByTestId("total-value");
  // That of the day comes last.
  await waitFor(() => expect(screen.getAllByRole("button").length).toBe(9));
  const figures = screen.getAllByRole("button");
  await userEvent.click(figures[0] as HTMLElement);
  const origin = within(await screen.findByRole("dialog", { name: "Account value" }));
  const rows = await origin.findAllByRole("row");
  expect(rows.map((row) => row.textContent)).toEqual(["Cash+900.00", "IBM 2 × 60.00+120.00", "=+1,020.00"]);
  await userEvent.keyboard("{Escape}");
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(document.activeElement).toBe(figures[0]);
});

test("the result of the session counts from the end of the one before, and not what was paid in since", async () => {
  holds({ netDeposits: "1500" }, [{ symbol: "MSFT", quantity: "2", cost: "100" }]);
  const before = { ...sample<object>("PerformancePoint"), totalValue: "500", netDeposits: "1000" };
  server.on("GET /api/portfolio/performance", {
    currency: "USD",
    session: { ...sample<object>("SessionResult"), sessionDate: "2026-11-19", before },
  });
  await show(<Summary account={account} balance={balance} buyingPower="–" />);
  await price("MSFT", "60", "USD");
  // 1,020 now, less 500 then, less 500 paid in: of the 1,000 that were at work.
  await waitFor(() => expect(screen.getByTestId("day-pnl").textContent).toContain("+20.00+2.00%"));
});
