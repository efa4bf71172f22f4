// @vitest-environment jsdom
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { usePreferences } from "@/lib/preferences";
import { MockApi } from "@/testing/mock-api";
import { show } from "@/testing/render";
import { OpenAccountForm } from "./open-account-form";
import "@/testing/set-up";

const ACCOUNTS = "POST /api/accounts";
const SIMULATION = "PUT /api/accounts/{id}/simulation";
const id = "018f0000-0000-7000-8000-000000000001";
let server: MockApi;

beforeEach(() => {
  usePreferences.setState({ accountId: null });
  server = new MockApi().install();
  server.on(ACCOUNTS, { id, name: "Practice", currency: "USD" });
});

const open = () => userEvent.click(screen.getByRole("button", { name: "Open account" }));

test("play money can be as hard to get as real money from the beginning", async () => {
  await show(<OpenAccountForm />);
  await userEvent.click(screen.getByLabelText("Realistic"));
  await open();
  await waitFor(() => expect(usePreferences.getState().accountId).toBe(id));
  expect(server.bodies(ACCOUNTS)).toEqual([{ name: "Practice", currency: "USD", broker: "simulator" }]);
  expect(server.bodies(SIMULATION)).toEqual([{ simulation: "realistic" }]);
});

test("a play account in dollars may sell short from the beginning, and then it has credit too", async () => {
  await show(<OpenAccountForm />);
  await userEvent.click(screen.getByLabelText("Sell US shares short"));
  expect(screen.getByLabelText<HTMLInputElement>("Buy US shares on credit").checked).toBe(true);
  await open();
  await waitFor(() => expect(usePreferences.getState().accountId).toBe(id));
  const wish = { name: "Practice", currency: "USD", broker: "simulator", margin: true, shortSelling: true };
  expect(server.bodies(ACCOUNTS)).toEqual([wish]);
});

test("who takes credit back takes short sales back, and nothing is asked for", async () => {
  await show(<OpenAccountForm />);
  await userEvent.click(screen.getByLabelText("Sell US shares short"));
  await userEvent.click(screen.getByLabelText("Buy US shares on credit"));
  expect(screen.getByLabelText<HTMLInputElement>("Sell US shares short").checked).toBe(false);
  await open();
  await waitFor(() => expect(usePreferences.getState().accountId).toBe(id));
  expect(server.bodies(ACCOUNTS)).toEqual([{ name: "Practice", currency: "USD", broker: "simulator" }]);
});

test("nobody lends won, nor what lies at a broker", async () => {
  await show(<OpenAccountForm />);
  await userEvent.click(screen.getByLabelText("Sell US shares short"));
  await userEvent.click(screen.getByLabelText("Korean won"));
  expect(screen.queryByLabelText("Buy US shares on credit")).toBeNull();
  await open();
  await waitFor(() => expect(usePreferences.getState().accountId).toBe(id));
  expect(server.bodies(ACCOUNTS)).toEqual([{ name: "Practice", currency: "KRW", broker: "simulator" }]);
  await userEvent.click(screen.getByLabelText("Alpaca"));
  expect(screen.queryByLabelText("Buy US shares on credit")).toBeNull();
});

test("an account is open although its setting was refused", async () => {
  server.refuseOnce(SIMULATION, 503, { code: "service_unavailable" });
  await show(<OpenAccountForm />);
  await userEvent.click(screen.getByLabelText("Harsh"));
  await open();
  await screen.findByText(/cannot do this right now/);
  await waitFor(() => expect(usePreferences.getState().accountId).toBe(id));
});

test("what is sent again after a lost answer is the same opening, and another wish is another", async () => {
  server.refuseOnce(ACCOUNTS, 503, { code: "service_unavailable" });
  await show(<OpenAccountForm />);
  await open();
  await screen.findByText(/cannot do this right now/);
  await open();
  await waitFor(() => expect(usePreferences.getState().accountId).toBe(id));
  const keys = server.headers(ACCOUNTS, "Idempotency-Key");
  expect(keys[0]).toBeTruthy();
  expect(keys[1]).toBe(keys[0]);
  await userEvent.type(screen.getByLabelText("Account name"), " two");
  await open();
  await waitFor(() => expect(server.headers(ACCOUNTS, "Idempotency-Key")).toHaveLength(3));
  expect(server.headers(ACCOUNTS, "Idempotency-Key")[2]).not.toBe(keys[0]);
});

test.each([
  ["Korean won", "Alpaca", "alpaca", "USD"],
  ["US dollar", "Kiwoom", "kiwoom", "KRW"],
])(
  "an account in %s is none at %s: it has the broker's currency, and nothing to simulate",
  async (other, label, broker, currency) => {
    await show(<OpenAccountForm />);
    await userEvent.click(screen.getByLabelText(other));
    await userEvent.click(screen.getByLabelText(label));
    expect(screen.queryByLabelText(other)).toBeNull();
    expect(screen.queryByLabelText("Realistic")).toBeNull();
    await open();
    await waitFor(() => expect(server.bodies(ACCOUNTS)).toEqual([{ name: "Practice", currency, broker }]));
    expect(server.bodies(SIMULATION)).toEqual([]);
  },
);
