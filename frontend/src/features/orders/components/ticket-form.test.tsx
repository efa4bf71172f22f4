// @vitest-environment jsdom
import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import type { Account, Capabilities } from "@/lib/api/types";
import { Decimal } from "@/lib/decimal";
import { useEventsStatus } from "@/lib/events-status";
import { setPreferences } from "@/lib/preferences";
import { useQuotesStatus } from "@/lib/quotes/socket";
import { askTicket, useTicketWish } from "@/lib/ticket-wish";
import { sampleOf } from "@/testing/api-description";
import { MockApi } from "@/testing/mock-api";
import { show } from "@/testing/render";
import { TicketForm } from "./ticket-form";
import "@/testing/set-up";

const PLACED = "POST /api/orders";
const account = {
  ...(sampleOf({ $ref: "#/components/schemas/Account" }) as Account),
  currency: "USD",
} as Account;
const state = { cash: "1000", buyingPower: new Decimal("1000"), worth: () => null, position: undefined };
let server: MockApi;

beforeEach(() => {
  server = new MockApi().install();
  useTicketWish.setState({ wish: null });
  useEventsStatus.setState({ status: "open", ready: true });
  useQuotesStatus.setState({ status: "open" });
  setPreferences({ confirmOrders: true });
});

const ticket = () => show(<TicketForm account={account} symbol="AAPL" state={state} />);
const shares = () => screen.getByLabelText<HTMLInputElement>("Shares");

test("what another part of the page asks for is written into the ticket of its symbol, once", async () => {
  await ticket();
  await userEvent.click(screen.getByLabelText("Sell"));
  act(() => askTicket({ symbol: "AAPL", side: "buy", quantity: "30" }));
  await waitFor(() => expect(shares().value).toBe("30"));
  expect(screen.getByLabelText<HTMLInputElement>("Buy").checked).toBe(true);
  expect(useTicketWish.getState().wish).toBeNull();
  expect(server.bodies(PLACED)).toEqual([]);
});

test("a wish for another symbol waits for its ticket", async () => {
  await ticket();
  act(() => askTicket({ symbol: "IBM", quantity: "30" }));
  expect(shares().value).toBe("");
  expect(useTicketWish.getState().wish).not.toBeNull();
});

test("a price that is pointed at becomes the limit", async () => {
  await ticket();
  act(() => askTicket({ symbol: "AAPL", price: "71.25" }));
  const limit = await screen.findByLabelText<HTMLInputElement>("Limit price (USD)");
  expect(limit.value).toBe("71.25");
});

test("nothing is sent from a page that may be old without a look, also where looks are switched off", async () => {
  setPreferences({ confirmOrders: false });
  useQuotesStatus.setState({ status: "reconnecting" });
  await ticket();
  await userEvent.type(shares(), "3");
  await userEvent.click(screen.getByRole("button", { name: "Buy 3 AAPL" }));
  await screen.findByTestId("consequences");
  expect(server.bodies(PLACED)).toEqual([]);
});

test("where looks are switched off and nothing is old, one press sends one order", async () => {
  setPreferences({ confirmOrders: false });
  await ticket();
  await userEvent.type(shares(), "3");
  await userEvent.dblClick(screen.getByRole("button", { name: "Buy 3 AAPL" }));
  await waitFor(() => expect(server.bodies(PLACED)).toHaveLength(1));
  expect(server.bodies(PLACED)[0]).toMatchObject({ symbol: "AAPL", side: "buy", quantity: "3" });
});

/** Answers to orders wait until they are let go. */
function holdOrders(): () => void {
  const answer = globalThis.fetch;
  let letGo = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  vi.stubGlobal("fetch", async (input: Request, init?: RequestInit) => {
    const answered = answer(input.clone(), init);
    if (new URL(input.url).pathname === "/api/orders") await held;
    return answered;
  });
  return letGo;
}

test("what is changed while an order is under way loses neither its answer nor the next order", async () => {
  setPreferences({ confirmOrders: false });
  server.refuseOnce(PLACED, 422, { code: "order_denied", detail: "too much" });
  await ticket();
  const letGo = holdOrders();
  await userEvent.type(shares(), "3");
  await userEvent.click(screen.getByRole("button", { name: "Buy 3 AAPL" }));
  await userEvent.click(screen.getByLabelText("Sell"));
  await userEvent.click(screen.getByLabelText("Buy"));
  letGo();
  expect(await screen.findByRole("alert")).toBeTruthy();
  await userEvent.clear(shares());
  await userEvent.type(shares(), "4");
  await userEvent.click(screen.getByRole("button", { name: "Buy 4 AAPL" }));
  await waitFor(() => expect(server.bodies(PLACED)).toHaveLength(2));
});

test("an order that was not answered keeps its key over another refusal and over a look elsewhere", async () => {
  setPreferences({ confirmOrders: false });
  server
    .refuseOnce(PLACED, 429, { code: "too_many_orders" })
    .refuseOnce(PLACED, 503, { code: "service_unavailable" });
  const { unmount } = await ticket();
  await userEvent.type(shares(), "7");
  await userEvent.click(screen.getByRole("button", { name: "Buy 7 AAPL" }));
  await waitFor(() => expect(server.bodies(PLACED)).toHaveLength(1));
  await screen.findByRole("alert");
  await userEvent.click(screen.getByRole("button", { name: "Buy 7 AAPL" }));
  await waitFor(() => expect(server.bodies(PLACED)).toHaveLength(2));
  unmount();
  await ticket();
  await userEvent.type(shares(), "7");
  await userEvent.click(screen.getByRole("button", { name: "Buy 7 AAPL" }));
  await waitFor(() => expect(server.bodies(PLACED)).toHaveLength(3));
  expect(new Set(server.headers(PLACED, "idempotency-key")).size).toBe(1);
});

const brokerWorks = (groups: string[], nativeGroups: string[] = []) =>
  server.on("GET /api/accounts/{id}/capabilities", {
    ...(sampleOf({ $ref: "#/components/schemas/BrokerCapabilities" }) as Capabilities),
    orderTypes: ["market", "limit", "stop_limit"],
    groups,
    nativeGroups,
  });
const EXITS = "With take profit and stop loss";
const FOLLOWS = "Then another order (one triggers the other)";

test("exits and an order that follows are offered where the broker works them", async () => {
  brokerWorks(["oto", "oco", "bracket"]);
  await ticket();
  expect(await screen.findByLabelText(EXITS)).toBeTruthy();
  expect(screen.getByLabelText(FOLLOWS)).toBeTruthy();
});

test("where purchase and exits are one order at the broker, it is said that they last equally long", async () => {
  brokerWorks(["oto", "oco", "bracket"], ["bracket", "oco"]);
  await ticket();
  await userEvent.click(await screen.findByLabelText(EXITS));
  expect(await screen.findByText(/last as long as the purchase/)).toBeTruthy();
});

test("a sale that the broker takes with the purchase is said to last as long, and another order is not", async () => {
  brokerWorks(["oto"], ["oto"]);
  await ticket();
  await userEvent.click(await screen.findByLabelText(FOLLOWS));
  const side = within(screen.getByRole("group", { name: "Then" }));
  await userEvent.click(side.getByLabelText("Sell"));
  expect(await screen.findByText(/waits at the broker/)).toBeTruthy();
  await userEvent.click(side.getByLabelText("Buy"));
  expect(screen.queryByText(/waits at the broker/)).toBeNull();
  expect(screen.getByText(/waits here/)).toBeTruthy();
});

test("where the broker takes one sale for a share, two exits are not offered, and what follows is of its types", async () => {
  brokerWorks(["oto"]);
  await ticket();
  await waitFor(() => expect(screen.queryByLabelText(EXITS)).toBeNull());
  await userEvent.click(screen.getByLabelText(FOLLOWS));
  const types = within(screen.getByLabelText("Type of the second order")).getAllByRole<HTMLOptionElement>(
    "option",
  );
  expect(types.map((type) => type.value)).toEqual(["limit"]);
});
