// @vitest-environment jsdom
import { act, fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { useEventsStatus } from "@/lib/events-status";
import { usePreferences } from "@/lib/preferences";
import type { LiveQuote } from "@/lib/quotes/quote";
import { quotes } from "@/lib/quotes/socket";
import { useTicketWish } from "@/lib/ticket-wish";
import { sampleOf } from "@/testing/api-description";
import { MockApi } from "@/testing/mock-api";
import { show } from "@/testing/render";
import { Positions } from "./positions";
import "@/testing/set-up";

const accountId = "018f0000-0000-7000-8000-000000000001";
const POSITIONS = "GET /api/portfolio/positions";
let server: MockApi;

beforeEach(() => {
  useEventsStatus.setState({ status: "open", ready: true });
  server = new MockApi().install();
});

test("a position is valued at the price of now, as it moves", async () => {
  const { positions } = samplePositions({ quantity: "10", cost: "1000", averageCost: "100" });
  server.on(POSITIONS, { positions });
  await show(<Positions accountId={accountId} full />);
  await screen.findByRole("row", { name: /^AAPL 10 100\.00/ });
  await act(async () => {
    quotes.put("AAPL", { symbol: "AAPL", price: "110", currency: "USD" } as LiveQuote);
    await new Promise(requestAnimationFrame);
  });
  await screen.findByRole("row", { name: /110\.00 1,100\.00 \+100\.00 ?\+10\.00%/ });
  expect(screen.getByRole("button", { name: "Close the position in AAPL" })).toBeTruthy();
});

test("shares that were sold leave their profit, and nothing to close", async () => {
  const { positions } = samplePositions({ quantity: "0", cost: "0", realisedPnl: "12.5" });
  server.on(POSITIONS, { positions });
  await show(<Positions accountId={accountId} full />);
  await screen.findByText("+12.50");
  expect(screen.queryByRole("button", { name: /^Close/ })).toBeNull();
});

test("shares sold short are bought back by the ticket, which is brought onto the screen", async () => {
  const { positions } = samplePositions({ quantity: "-30", cost: "-3000", averageCost: "100" });
  server.on(POSITIONS, { positions });
  let shown = 0;
  await show(<Positions accountId={accountId} onShow={() => (shown += 1)} />);
  await userEvent.click(await screen.findByRole("button", { name: /^Buy back the shares of AAPL/ }));
  expect(useTicketWish.getState().wish).toEqual({ symbol: "AAPL", side: "buy", quantity: "30" });
  expect(usePreferences.getState().symbol).toBe("AAPL");
  expect(shown).toBe(1);
});

test("what was sold short is closed by buying it back", async () => {
  const { positions } = samplePositions({ quantity: "-7", cost: "-700", averageCost: "100" });
  server.on(POSITIONS, { positions });
  await show(<Positions accountId={accountId} full />);
  fireEvent.click(await screen.findByRole("button", { name: "Close the position in AAPL" }));
  await screen.findByText(/^Buy all 7 shares of AAPL back at the market\?/);
  const [, confirm] = screen.getAllByText("Close");
  fireEvent.click(confirm as HTMLElement);
  await waitFor(() => expect(server.bodies("POST /api/positions/close")).toHaveLength(1));
});

test("an account without shares says what comes next", async () => {
  await show(<Positions accountId={accountId} />);
  await screen.findByText(/^No shares yet/);
});

function samplePositions(part: Record<string, string>) {
  const plainest = sampleOf({ $ref: "#/components/schemas/Position" }) as object;
  const none = { quantity: "0", averageCost: "0", cost: "0", realisedPnl: "0", dividends: "0" };
  return { positions: [{ ...plainest, accountId, symbol: "AAPL", currency: "USD", ...none, ...part }] };
}
