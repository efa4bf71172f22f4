// @vitest-environment jsdom
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { useEventsStatus } from "@/lib/events-status";
import { sampleOf } from "@/testing/api-description";
import { MockApi } from "@/testing/mock-api";
import { show } from "@/testing/render";
import { OrdersBar } from "./orders-bar";
import "@/testing/set-up";

const accountId = "018f0000-0000-7000-8000-000000000001";
const CANCEL_ALL = "POST /api/orders/cancel-all";
const order = { ...(sampleOf({ $ref: "#/components/schemas/Order" }) as object), accountId, state: "open" };
const item = (outcome: string) => ({
  ...(sampleOf({ $ref: "#/components/schemas/CancelItem" }) as object),
  outcome,
});
let server: MockApi;

beforeEach(() => {
  server = new MockApi().install();
  server.on("GET /api/orders", { orders: [order] });
  useEventsStatus.setState({ status: "open", ready: true });
});

async function cancelAll() {
  await userEvent.click(await screen.findByRole("button", { name: "Cancel all" }));
  const dialog = screen.getByRole("dialog");
  await userEvent.click(dialog.querySelector("[data-autofocus]") as HTMLElement);
}

test("all orders of a search are taken back, round by round, after a question", async () => {
  server.on(
    CANCEL_ALL,
    { items: [item("requested")], more: true },
    { items: [item("requested")], more: false },
  );
  await show(<OrdersBar accountId={accountId} search={{ symbol: "AAPL", side: "buy" }} />);
  await cancelAll();
  await screen.findByText("Asked to take back: 2");
  const wanted = { accountId, symbol: "AAPL", side: "buy" };
  expect(server.bodies(CANCEL_ALL)).toEqual([wanted, wanted]);
  expect(screen.queryByRole("dialog")).toBeNull();
});

test("a refusal leaves the question open", async () => {
  server.refuseOnce(CANCEL_ALL, 503, { code: "service_unavailable" });
  server.on("GET /api/orders", { orders: [order] });
  await show(<OrdersBar accountId={accountId} search={{}} />);
  await cancelAll();
  await screen.findByRole("alert");
  expect(screen.getByRole("dialog")).toBeTruthy();
});

test("without open orders there is nothing to take back", async () => {
  server.on("GET /api/orders", { orders: [] });
  await show(<OrdersBar accountId={accountId} search={{}} />);
  expect(await screen.findByRole("button", { name: "Cancel all" })).toHaveProperty("disabled", true);
});
