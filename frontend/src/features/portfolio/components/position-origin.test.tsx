// @vitest-environment jsdom
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import type { Lot, Position } from "@/lib/api/types";
import { sampleOf } from "@/testing/api-description";
import { MockApi } from "@/testing/mock-api";
import { show } from "@/testing/render";
import LotOrigin from "./lot-origin";
import PositionOrigin from "./position-origin";
import "@/testing/set-up";

const sample = <T,>(name: string) => sampleOf({ $ref: `#/components/schemas/${name}` }) as T;
const position: Position = {
  ...sample<Position>("Position"),
  symbol: "AAPL",
  currency: "USD",
  quantity: "6",
  cost: "900",
  averageCost: "150",
  costMethod: "average",
  byAverage: { cost: "900", realisedPnl: "40" },
  byFifo: { cost: "960", realisedPnl: "100" },
  realisedPnl: "40",
  dividends: "10",
  marketPrice: "160",
};
const { accountId } = position;
let server: MockApi;

beforeEach(() => {
  server = new MockApi().install();
});

const rows = async () => (await screen.findAllByRole("row")).map((row) => row.textContent);

const movement = (tradeDate: string, quantity: string, worth: string, costChange: string) => ({
  ...sample<object>("PositionMovement"),
  ...{ journalId: crypto.randomUUID(), kind: "fill", tradeDate, quantity, worth, costChange },
});

test("the average cost is what each movement has changed, divided by the shares", async () => {
  server.on(
    "GET /api/portfolio/movements",
    { movements: [movement("2026-11-20", "-4", "640", "-600")], next: crypto.randomUUID() },
    { movements: [movement("2026-11-19", "10", "1500", "1500")] },
  );
  await show(<PositionOrigin figure="averageCost" position={position} />);
  expect(await rows()).toEqual([
    "Nov 20, 2026 Execution −4 × 160.00−600.00",
    "All those before+1,500.00",
    "=900.00",
  ]);
  await userEvent.click(screen.getByRole("button", { name: "Show more" }));
  await screen.findByRole("row", { name: /Nov 19, 2026 Execution \+10 × 150\.00/ });
  expect(screen.queryByText("All those before")).toBeNull();
  expect(screen.getByText("900.00 ÷ 6 =", { exact: false }).textContent).toBe("900.00 ÷ 6 = 150.00");
});

test("by the other method it is that of the lots that are left", async () => {
  const lot = { ...sample<Lot>("Lot"), acquiredOn: "2026-11-19", quantity: "6", cost: "960" };
  server.on("GET /api/portfolio/lots", { lots: [lot] });
  const fifo = { ...position, costMethod: "fifo" as const, cost: "960", averageCost: "160" };
  await show(<PositionOrigin figure="averageCost" position={fifo} />);
  expect(await rows()).toEqual(["Nov 19, 2026 6960.00", "=960.00"]);
  expect(server.sent.at(-1)?.query.symbol).toBe("AAPL");
  expect(screen.getByText("960.00 ÷ 6 =", { exact: false }).textContent).toBe("960.00 ÷ 6 = 160.00");
});

test("the shares are the sum of what has moved them, a split included", async () => {
  const split = { ...movement("2026-11-21", "3", "0", "0"), kind: "split" };
  server.on("GET /api/portfolio/movements", {
    movements: [split, movement("2026-11-19", "3", "900", "900")],
  });
  await show(<PositionOrigin figure="quantity" position={position} />);
  expect(await rows()).toEqual(["Nov 21, 2026 Split +3+3", "Nov 19, 2026 Execution +3 × 300.00+3", "=6"]);
});

test("a gain that is not realised is the worth less the cost, in percent of the cost", async () => {
  await show(<PositionOrigin figure="unrealised" position={position} />);
  expect(await rows()).toEqual(["6 × 160.00+960.00", "Cost−900.00", "=+60.00"]);
  expect(screen.getByText(/÷/).textContent).toBe("+60.00 ÷ 900.00 = +6.67%");
});

test("what sales have gained is told sale by sale, by the account's method", async () => {
  const sale = {
    ...sample<object>("Sale"),
    ...{ soldOn: "2026-11-20", quantity: "4", proceeds: "640", realisedPnl: "40", costMethod: "average" },
    ...{ byAverage: { cost: "600", realisedPnl: "40" }, byFifo: { cost: "540", realisedPnl: "100" } },
  };
  server.on("GET /api/portfolio/sales", { sales: [sale] });
  await show(<PositionOrigin figure="realised" position={position} />);
  expect(await rows()).toEqual(["Nov 20, 2026 4: 640.00 − 600.00+40.00", "=+40.00"]);
});

test("dividends are what came in, and what was kept back", async () => {
  const line = (symbol: string, amount: string) => ({
    ...sample<object>("StatementLine"),
    ...{ kind: "dividend", commodity: "USD", symbol, amount, bookedAt: "2026-11-20T15:00:00Z" },
  });
  server.on("GET /api/accounts/{id}/statement", { lines: [line("AAPL", "8.5"), line("MSFT", "3")] });
  await show(<PositionOrigin figure="dividends" position={position} />);
  const [first, second, result, ...more] = await rows();
  expect([second, result, more]).toEqual(["Kept back from dividends+1.50", "=+10.00", []]);
  expect(first).toMatch(/Dividend\+8\.50$/);
});

test("what is left of a lot is what came, less what was sold of it", async () => {
  const lot = {
    ...sample<Lot>("Lot"),
    ...{ symbol: "AAPL", currency: "USD" as const, acquiredOn: "2026-11-19", quantity: "12", cost: "900" },
    ...{ openedQuantity: "10", openedCost: "1500", adjustedQuantity: "6" },
  };
  const taken = { ...sample<object>("LotSale"), soldOn: "2026-11-20", quantity: "4", cost: "600" };
  server.on("GET /api/portfolio/lots/{id}/sales", { sales: [taken] });
  const { unmount } = await show(<LotOrigin figure="quantity" lot={lot} accountId={accountId} />);
  expect(await rows()).toEqual(["Nov 19, 2026 came in10", "By splits6", "Nov 20, 2026 sold: 4−4", "=12"]);
  unmount();
  await show(<LotOrigin figure="cost" lot={lot} accountId={accountId} />);
  expect(await rows()).toEqual(["Nov 19, 2026 came in+1,500.00", "Nov 20, 2026 sold: 4−600.00", "=900.00"]);
});

test("a list that could not be loaded says so in the reader's language", async () => {
  server.refuseOnce("GET /api/portfolio/movements", 503, { code: "unavailable" });
  await show(<PositionOrigin figure="quantity" position={position} />, "ko");
  expect((await screen.findByRole("alert")).textContent).toMatch(/[가-힣]/);
});
