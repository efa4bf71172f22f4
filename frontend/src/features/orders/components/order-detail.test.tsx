// @vitest-environment jsdom
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { useEventsStatus } from "@/lib/events-status";
import { MockApi } from "@/testing/mock-api";
import { show } from "@/testing/render";
import { OrderDetail } from "./order-detail";
import "@/testing/set-up";

const id = "018f0000-0000-7000-8000-000000000002";
const order = {
  id,
  symbol: "AAPL",
  currency: "USD",
  side: "buy",
  type: "limit",
  timeInForce: "gtc",
  state: "open",
  quantity: "10",
  filledQuantity: "4",
  leavesQuantity: "6",
  limitPrice: "100",
  held: "601",
  commission: "1.5",
  tax: "0",
  createdAt: "2026-11-20T14:30:00Z",
  updatedAt: "2026-11-20T14:30:00Z",
};
let server: MockApi;

beforeEach(() => {
  useEventsStatus.setState({ status: "open", ready: true });
  server = new MockApi().install();
  server.on("GET /api/orders/{id}", order);
});

const brokerReplaces = (replace: boolean, replaceQuantity = true) =>
  server.on("GET /api/accounts/{id}/capabilities", { replace, replaceQuantity });

test("an order tells its terms, and when it was placed by the market's clock as well", async () => {
  brokerReplaces(true);
  await show(<OrderDetail orderId={id} onClose={() => {}} />);
  await screen.findByText("4 / 10");
  expect(screen.getByText("11/20, 09:30:00 EST")).toBeTruthy();
  expect(screen.getByText("$1.50")).toBeTruthy();
});

test("other terms are offered where the broker takes them", async () => {
  brokerReplaces(true);
  await show(<OrderDetail orderId={id} onClose={() => {}} />);
  await userEvent.click(await screen.findByRole("button", { name: "Change" }));
  expect((screen.getByLabelText("Limit price") as HTMLInputElement).value).toBe("100");
});

test("they are not offered where it does not, and taking the order back is", async () => {
  brokerReplaces(false);
  await show(<OrderDetail orderId={id} onClose={() => {}} />);
  await screen.findByText("4 / 10");
  await expect.poll(() => screen.queryByRole("button", { name: "Change" })).toBeNull();
  expect(screen.getByRole("button", { name: "Cancel the order" })).toBeTruthy();
});

test("an order that has ended can be neither changed nor taken back", async () => {
  brokerReplaces(true);
  server.on("GET /api/orders/{id}", { ...order, state: "filled", filledQuantity: "10" });
  await show(<OrderDetail orderId={id} onClose={() => {}} />);
  await screen.findByText("10 / 10");
  expect(screen.queryByRole("button", { name: "Change" })).toBeNull();
});

test("an amount of money is for about so many shares until the broker has counted them", async () => {
  brokerReplaces(true);
  const amount = {
    ...order,
    type: "market",
    limitPrice: null,
    quantity: "0.51",
    filledQuantity: "0.2",
    notional: "100",
  };
  server.on("GET /api/orders/{id}", { ...amount, quantityEstimated: true });
  await show(<OrderDetail orderId={id} onClose={() => {}} />);
  await screen.findByText("0.2 / about 0.51");
  expect(screen.getByText("$100.00")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Change" })).toBeNull();
});

test("another number of shares is not offered where the broker changes prices alone", async () => {
  brokerReplaces(true, false);
  await show(<OrderDetail orderId={id} onClose={() => {}} />);
  await userEvent.click(await screen.findByRole("button", { name: "Change" }));
  expect(screen.getByLabelText("Limit price")).toBeTruthy();
  await waitFor(() => expect(screen.queryByLabelText("Shares in total")).toBeNull());
});
