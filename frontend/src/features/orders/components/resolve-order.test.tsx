// @vitest-environment jsdom
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import type { Order } from "@/lib/api/types";
import { useEventsStatus } from "@/lib/events-status";
import { MockApi } from "@/testing/mock-api";
import { show } from "@/testing/render";
import { IncidentOrder } from "./incident-order";
import { ResolveOrder } from "./resolve-order";
import "@/testing/set-up";

const RESOLVE = "POST /api/orders/{id}/resolve";
const DETAIL = "GET /api/orders/{id}";
const id = "018f0000-0000-7000-8000-000000000003";
const terms = {
  id,
  symbol: "005930.KS",
  side: "buy",
  quantity: "10",
  state: "pending",
  unresolved: true,
} as const;
const unknown = terms as unknown as Order;
let server: MockApi;

beforeEach(() => {
  useEventsStatus.setState({ status: "open", ready: true });
  server = new MockApi().install();
  server.on(RESOLVE, terms);
});

const press = (name: string) => userEvent.click(screen.getByRole("button", { name }));

test("that an order is not at the broker is asked about once more, then sent, then said to be written", async () => {
  await show(<ResolveOrder order={unknown} />);
  expect(screen.getByText(/ends here as refused/)).toBeTruthy();
  await press("Go on");
  expect(screen.getByText(/never had this order/)).toBeTruthy();
  expect(server.bodies(RESOLVE)).toEqual([]);
  await press("Say so");
  await screen.findByText(/It is written down/);
  expect(server.bodies(RESOLVE)).toEqual([{ outcome: "never_arrived" }]);
});

test("who goes back has said nothing", async () => {
  await show(<ResolveOrder order={unknown} />);
  await press("Go on");
  await press("Back");
  expect(screen.getByRole("button", { name: "Go on" })).toBeTruthy();
  expect(server.sent).toEqual([]);
});

test("that it is there wants the broker's number", async () => {
  await show(<ResolveOrder order={unknown} />);
  await userEvent.click(screen.getByLabelText("It is there"));
  expect(screen.getByText(/What was executed is booked/)).toBeTruthy();
  const number = screen.getByLabelText("Number of the order at the broker");
  for (const wrong of ["", "12 34", "번호"]) {
    await userEvent.clear(number);
    if (wrong !== "") await userEvent.type(number, wrong);
    await press("Go on");
    expect(screen.getByText(/without spaces/), wrong).toBeTruthy();
  }
  await userEvent.clear(number);
  await userEvent.type(number, " 0012345 ");
  await press("Go on");
  expect(screen.getByText(/under the number 0012345/)).toBeTruthy();
  await press("Say so");
  await screen.findByText(/It is written down/);
  expect(server.bodies(RESOLVE)).toEqual([{ outcome: "arrived", brokerOrderId: "0012345" }]);
});

test("what the broker says against it stands beside the question, and it can be said again", async () => {
  const detail = "the broker has the order under the number 7";
  server.refuseOnce(RESOLVE, 409, { code: "broker_disagrees", detail });
  await show(<ResolveOrder order={unknown} />);
  await press("Go on");
  await press("Say so");
  const refusal = await screen.findByRole("alert");
  expect(refusal.textContent).toContain("says otherwise");
  expect(refusal.textContent).toContain("under the number 7");
  await press("Say so");
  await screen.findByText(/It is written down/);
});

test("an order of which all is known asks nobody", async () => {
  await show(
    <>
      <ResolveOrder order={{ ...unknown, unresolved: false }} />
      <ResolveOrder order={{ ...unknown, state: "rejected" }} />
    </>,
  );
  expect(screen.queryByText("What became of this order?")).toBeNull();
});

test("it is asked in Korean too", async () => {
  await show(<ResolveOrder order={unknown} />, "ko");
  await userEvent.click(screen.getByLabelText("주문이 있음"));
  await userEvent.type(screen.getByLabelText("증권사 주문 번호"), "77");
  await press("다음");
  expect(screen.getByText(/77번으로/)).toBeTruthy();
  await press("알리기");
  await screen.findByText(/기록했습니다/);
});

test("an incident asks about its order, and tells what became of it", async () => {
  server.on(DETAIL, terms, { ...terms, state: "rejected", unresolved: false, reason: "never_arrived" });
  await show(<IncidentOrder orderId={id} isUnresolved />);
  await screen.findByText(/005930\.KS/);
  await press("Go on");
  await press("Say so");
  await screen.findByText(/never arrived at the broker/);
  expect(screen.queryByRole("button", { name: "Say so" })).toBeNull();
});

test("an incident of another kind shows its order to who wants to see it", async () => {
  server.on(DETAIL, { ...terms, state: "filled", unresolved: false });
  await show(<IncidentOrder orderId={id} isUnresolved={false} />);
  expect(server.sent).toEqual([]);
  await press("Look at the order");
  await screen.findByTestId("order-events");
  expect(screen.queryByText("What became of this order?")).toBeNull();
});
