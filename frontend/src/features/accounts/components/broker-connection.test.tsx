// @vitest-environment jsdom
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import type { Account } from "@/lib/api/types";
import { useEventsStatus } from "@/lib/events-status";
import { MockApi } from "@/testing/mock-api";
import { show } from "@/testing/render";
import { BrokerConnection } from "./broker-connection";
import "@/testing/set-up";

const account = { id: "018f0000-0000-7000-8000-000000000001", broker: "alpaca", currency: "USD" } as Account;
const CONNECTION = "GET /api/accounts/{id}/connection";
const CREDENTIALS = "PUT /api/accounts/{id}/credentials";
let server: MockApi;

beforeEach(() => {
  useEventsStatus.setState({ status: "open", ready: true });
  server = new MockApi().install();
  server.on("GET /api/accounts/{id}/capabilities", { broker: "alpaca", realMoney: true });
});

const wayIs = (state: string) => server.on(CONNECTION, { broker: "alpaca", state });
const key = () => screen.findByLabelText("Key (its public part)");
const connect = () => screen.getByRole("button", { name: "Connect" }) as HTMLButtonElement;

test("a wrong, an expired and a revoked key are told apart, and each says what to do", async () => {
  for (const [state, name, hint] of [
    ["key_wrong", "The key is wrong.", /never taken it/],
    ["key_expired", "The key has expired.", /Make a new one/],
    ["key_revoked", "The key was revoked.", /took it once/],
    ["account_changed", "The broker has another account behind this key.", /nothing of it is booked/],
  ] as const) {
    wayIs(state);
    const { unmount } = await show(<BrokerConnection account={account} />);
    expect((await screen.findByTestId("connection-state")).textContent).toBe(name);
    expect(screen.getByText(hint)).toBeTruthy();
    await key();
    unmount();
  }
});

test("an account that is connected asks for no key until another one is to be entered", async () => {
  wayIs("connected");
  await show(<BrokerConnection account={account} />);
  await screen.findByText("Connected.");
  expect(screen.queryByLabelText("Secret")).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Enter another key" }));
  await key();
});

test("a key is sent as it was entered, and does not stay on the page", async () => {
  wayIs("key_missing");
  server.on(CREDENTIALS, { broker: "alpaca", state: "connecting" });
  await show(<BrokerConnection account={account} />);
  await userEvent.type(await key(), " PK123 ");
  await userEvent.type(screen.getByLabelText("Secret"), "hush");
  await userEvent.click(connect());
  await screen.findByText("The broker has taken the key.");
  expect(server.bodies(CREDENTIALS)).toEqual([{ environment: "paper", keyId: "PK123", secretKey: "hush" }]);
  expect(document.body.innerHTML).not.toContain("hush");
});

test("real money wants a word of its own before the key is sent", async () => {
  wayIs("key_missing");
  await show(<BrokerConnection account={account} />);
  await userEvent.type(await key(), "AK1");
  await userEvent.type(screen.getByLabelText("Secret"), "hush");
  await userEvent.click(await screen.findByLabelText("Real money"));
  expect(connect().disabled).toBe(true);
  await userEvent.click(screen.getByLabelText(/spend real money/));
  expect(connect().disabled).toBe(false);
});

test("what the broker says against a key is said beside the form", async () => {
  wayIs("key_missing");
  server.refuseOnce(CREDENTIALS, 422, { code: "broker_key_wrong" });
  await show(<BrokerConnection account={account} />);
  await userEvent.type(await key(), "PK1");
  await userEvent.type(screen.getByLabelText("Secret"), "no");
  await userEvent.click(connect());
  await screen.findByText(/does not know this key/);
});

test("why the way is closed is said beside what to do", async () => {
  server.on(CONNECTION, { broker: "alpaca", state: "down", detail: "the broker answers 502" });
  await show(<BrokerConnection account={account} />);
  await screen.findByText(/the broker answers 502/);
});

test("each reason against an account behind a good key says what to do, and the broker's own words stay", async () => {
  for (const [code, said] of [
    ["broker_orders_open", /Cancel them there/],
    ["broker_bridge_missing", /has no bridge/],
    ["broker_account_taken", /connected to another account here/],
    ["broker_account_inactive", /ask there why.*its status is ONBOARDING/i],
    ["broker_refuses", /does not open.*its status is ONBOARDING/],
  ] as const) {
    wayIs("key_missing");
    server.refuseOnce(CREDENTIALS, 409, { code, detail: "its status is ONBOARDING" });
    const { unmount } = await show(<BrokerConnection account={account} />);
    await userEvent.type(await key(), "PK1");
    await userEvent.type(screen.getByLabelText("Secret"), "hush");
    await userEvent.click(connect());
    expect((await screen.findByRole("alert")).textContent, code).toMatch(said);
    unmount();
  }
});
