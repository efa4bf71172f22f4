// @vitest-environment jsdom
import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import type { AccountValue, Position } from "@/lib/api/types";
import { useEventsStatus } from "@/lib/events-status";
import { useQuotesStatus } from "@/lib/quotes/socket";
import { sampleOf } from "@/testing/api-description";
import { MockApi } from "@/testing/mock-api";
import { show } from "@/testing/render";
import { Worth } from "./worth";
import "@/testing/set-up";

const accountId = "018f0000-0000-7000-8000-000000000001";
const value = {
  accountId,
  currency: "USD",
  cash: "8463",
  held: "0",
  buyingPower: "8463",
  positionsValue: "1500",
  totalValue: "9963",
  netDeposits: "10000",
  unrealisedPnl: "-100",
  realisedPnl: "50",
  dividends: "20",
  commission: "4",
  exchangeFees: "1",
  tax: "2",
  totalPnl: "-37",
} as AccountValue;
const position = {
  accountId,
  symbol: "AAPL",
  currency: "USD",
  quantity: "10",
  cost: "1600",
  realisedPnl: "30",
  dividends: "20",
  marketPrice: "150",
} as Position;
let server: MockApi;

beforeEach(() => {
  server = new MockApi().install();
  useEventsStatus.setState({ status: "open", ready: true });
  useQuotesStatus.setState({ status: "open" });
});

/** The lines of the figure that is opened, as one text each. */
async function opened(label: string): Promise<string[]> {
  const summary = screen.getByText(label, { selector: "summary" });
  await userEvent.click(summary);
  const figure = summary.closest("div.py-1\\.5");
  return within(figure as HTMLElement)
    .getAllByRole("row")
    .map((row) => row.textContent ?? "");
}

test("figures open to the numbers that make them", async () => {
  await show(<Worth value={value} positions={[position]} />);
  expect(await opened("Total P&L")).toEqual([
    "Cash+8,463.00",
    "Shares at the prices of now+1,500.00",
    "Paid in, net−10,000.00",
    "=−37.00",
  ]);
  expect(await opened("Unrealised")).toEqual(["AAPL 10 × 150.00 − 1,600.00−100.00", "=−100.00"]);
  expect((await opened("Cash")).at(-1)).toBe("=+8,463.00");
  expect(await opened("Realised")).toEqual(["AAPL+30.00", "Shares not held any more+20.00", "=+50.00"]);
});

test("the session's result leaves out what was paid in", async () => {
  const before = {
    at: "2026-11-19T21:00:00Z",
    totalValue: "8950",
    cash: "7500",
    positionsValue: "1450",
    netDeposits: "9000",
    growth: "1",
    sessionDate: "2026-11-19",
  };
  const session = { sessionDate: "2026-11-20", before, pnl: "13", returnPercent: "0.13" };
  server.on("GET /api/portfolio/performance", { accountId, currency: "USD", session });
  await show(<Worth value={value} positions={[position]} />);
  await screen.findByText("+13.00");
  const lines = await opened("Result of the session");
  expect(lines.map((line) => line.replace(/at .*(?=−8)/, ""))).toEqual([
    "Worth now+9,963.00",
    "Worth −8,950.00",
    "Paid in since−1,000.00",
    "=+13.00",
  ]);
});

test("what credit has cost is told where there was any, and taxes by what they were paid for", async () => {
  const line = (kind: string, amount: string) => ({
    ...(sampleOf({ $ref: "#/components/schemas/StatementLine" }) as object),
    ...{ kind, amount, commodity: "USD", bookedAt: "2026-11-20T15:00:00Z" },
  });
  // One answer for every question: each part of the page reads the amounts of what it has asked for.
  server.on("GET /api/accounts/{id}/statement", { lines: [line("interest", "-0.75")] });
  await show(<Worth value={value} positions={[position]} />);
  expect(
    (await screen.findByText("Interest and fees for borrowed shares")).closest("dt")?.nextSibling
      ?.textContent,
  ).toBe("−0.75");
  await userEvent.click(screen.getByText("Taxes", { selector: "summary" }));
  await screen.findByRole("row", { name: /Of trades \+1\.25/ });
  expect(screen.getByRole("row", { name: /Kept back from dividends \+0\.75/ })).toBeTruthy();
});

test("an account without credit has no line for it", async () => {
  await show(<Worth value={value} positions={[position]} />);
  await userEvent.click(screen.getByText("Taxes", { selector: "summary" }));
  await screen.findByRole("row", { name: /Of trades \+2\.00/ });
  expect(screen.queryByText("Interest and fees for borrowed shares")).toBeNull();
});

test("without a price nothing is summed up", async () => {
  const { marketPrice: _, ...unpriced } = position;
  await show(<Worth value={value} positions={[unpriced as Position]} />);
  expect(screen.getByTestId("worth-USD").textContent).toBe("–");
});
