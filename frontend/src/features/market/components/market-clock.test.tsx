// @vitest-environment jsdom
import { act, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { useEventsStatus } from "@/lib/events-status";
import type { LiveQuote } from "@/lib/quotes/quote";
import { quotes } from "@/lib/quotes/socket";
import { MockApi } from "@/testing/mock-api";
import { show } from "@/testing/render";
import { MarketClock } from "./market-clock";
import "@/testing/set-up";

const HOUR_MS = 3_600_000;

beforeEach(() => {
  const now = Date.now();
  const time = (hours: number) => new Date(now + hours * HOUR_MS).toISOString();
  const market = { market: "US", timeZone: "America/New_York", phase: "closed" };
  new MockApi().install().on("GET /api/market/hours", {
    now: time(0),
    markets: [{ ...market, nextOpen: time(2.5), nextClose: time(9) }],
  });
  useEventsStatus.setState({ status: "open", ready: true });
});

const quote = (symbol: string, kind: Partial<LiveQuote>) =>
  act(() =>
    quotes.put(symbol, {
      symbol,
      price: "1",
      sessionDate: "2006-02-27",
      delayed: false,
      ...kind,
    } as LiveQuote),
  );

test("a market with real prices says when it opens", async () => {
  quote("AAPL", { source: "yahoo", simulated: false });
  await show(<MarketClock symbol="AAPL" />);
  await screen.findByText(/opens in 2 h/);
  expect(screen.getByTestId("market-phase").textContent).toBe("closed");
});

test("a replay is open whatever the market does, and says which day it plays", async () => {
  quote("MSFT", { source: "replay", simulated: false });
  await show(<MarketClock symbol="MSFT" />);
  const name = await screen.findByText("Replay of Feb 27, 2006");
  expect(screen.getByTestId("market-phase").textContent).toBe("open");
  expect(screen.queryByText(/opens in/)).toBeNull();
  expect(name.parentElement?.title).toContain("US market: closed, opens in 2 h");
});

test("made-up prices are open, and said to be made up", async () => {
  quote("KO", { source: "synthetic", simulated: true });
  await show(<MarketClock symbol="KO" />);
  await screen.findByText("Made-up prices");
  expect(screen.getByTestId("market-phase").textContent).toBe("open");
});

test("hours that could not be loaded are said not to be known, and asked for again on a word", async () => {
  const hours = { now: new Date().toISOString(), markets: [] };
  const server = new MockApi().install().on("GET /api/market/hours", hours);
  server.refuseOnce("GET /api/market/hours", 500, { code: "internal_error" });
  await show(<MarketClock symbol="AAPL" />);
  expect((await screen.findByRole("alert")).textContent).toContain("Market hours not known");
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  await expect.poll(() => screen.queryByRole("alert")).toBeNull();
});
