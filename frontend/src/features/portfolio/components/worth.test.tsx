// @vitest-environment jsdom
import { screen, waitFor, within } from "@testing-library/react";
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
  interest: "0",
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
  commission: "3",
  tax: "1.5",
  marketPrice: "150",
} as Position;
let server: MockApi;

beforeEach(() => {
  server = new MockApi().install();
  useEventsStatus.setState({ status: "open", ready: true });
  useQuotesStatus.setState({ status: "open" });
});

/** The lines behind a figure, as one text each; it is closed again. */
async function opened(label: string): Promise<string[]> {
  const line = screen.getByText(label, { selector: "dt" }).nextElementSibling as HTMLElement;
  await userEvent.click(within(line).getByRole("button"));
  const origin = within(await screen.findByRole("dialog", { name: label }));
  const rows = (await origin.findAllByRole("row")).map((row) => row.textContent ?? "");
  await userEvent.keyboard("{Escape}");
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  return rows;
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
  expect(await opened("Commissions")).toEqual([
    "AAPL+3.00",
    "Shares not held any more+1.00",
    "Fees of exchanges+1.00",
    "=+5.00",
  ]);
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

const line = (sequence: number, kind: string, amount: string) => ({
  ...(sampleOf({ $ref: "#/components/schemas/StatementLine" }) as object),
  ...{ sequence, kind, amount, commodity: "USD", bookedAt: "2026-11-20T15:00:00Z" },
});

test("what credit has cost is told where there was any, and those not loaded yet together", async () => {
  server.on(
    "GET /api/accounts/{id}/statement",
    { lines: [line(2, "interest", "-0.75")], nextCursor: 2 },
    { lines: [line(1, "borrow_fee", "-0.25")] },
  );
  await show(<Worth value={{ ...value, interest: "-1" }} positions={[position]} />);
  const label = "Interest and fees for borrowed shares";
  const figure = screen.getByText(label, { selector: "dt" }).nextElementSibling as HTMLElement;
  await userEvent.click(within(figure).getByRole("button", { name: "−1.00" }));
  const origin = within(await screen.findByRole("dialog", { name: label }));
  expect(await origin.findByRole("row", { name: "All those before −0.25" })).toBeTruthy();
  await userEvent.click(origin.getByRole("button", { name: "Show more" }));
  await origin.findByRole("row", { name: /Fee for borrowed shares −0\.25/ });
  expect(origin.queryByRole("row", { name: /All those before/ })).toBeNull();
  expect(server.sent.map(({ query }) => query.cursor).filter(Boolean)).toEqual(["2"]);
});

test("taxes are told by share, and by what they were paid for", async () => {
  // 20 of dividends came in as 18.75, the rest was kept back.
  server.on("GET /api/accounts/{id}/statement", { lines: [line(1, "dividend", "18.75")] });
  await show(<Worth value={value} positions={[position]} />);
  const rows = await opened("Taxes");
  expect(rows).toContain("AAPL+1.50");
  await waitFor(async () => expect(await opened("Taxes")).toContain("Kept back from dividends+1.25"));
});

test("an account without credit has no line for it", async () => {
  await show(<Worth value={value} positions={[position]} />);
  expect(screen.queryByText("Interest and fees for borrowed shares")).toBeNull();
});

test("without a price nothing is summed up", async () => {
  const { marketPrice: _, ...unpriced } = position;
  await show(<Worth value={value} positions={[unpriced as Position]} />);
  expect(screen.getByTestId("worth-USD").textContent).toBe("–");
});
