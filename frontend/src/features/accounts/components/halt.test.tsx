// @vitest-environment jsdom
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { MockApi } from "@/testing/mock-api";
import { practice } from "@/testing/practice";
import { show } from "@/testing/render";
import { HaltSwitch, HaltWarning } from "./halt";
import "@/testing/set-up";

const STATE = "GET /api/accounts/{id}/halt";
const STOP = "POST /api/accounts/{id}/halt";
const STOP_ALL = "POST /api/halts";
const LIFT = "POST /api/accounts/{id}/halt/lift";
const trading = { accountId: practice.id, halted: false };
const halted = {
  accountId: practice.id,
  halted: true,
  by: "owner",
  reason: "asleep",
  haltedAt: "2026-11-20T15:00:00Z",
};
let server: MockApi;

beforeEach(() => {
  server = new MockApi().install();
});

test("trading stops in one account and open orders are taken back, unless said otherwise", async () => {
  server.on(STATE, trading, halted);
  await show(<HaltSwitch account={practice} />);
  await userEvent.click(await screen.findByRole("button", { name: "Stop trading" }));
  await userEvent.click(screen.getByRole("button", { name: "Stop now" }));
  await screen.findByText(/You have stopped trading in this account/);
  expect(server.bodies(STOP)).toEqual([{ cancelOrders: true }]);
  expect(server.bodies(STOP_ALL)).toEqual([]);
});

test("all accounts stop at once, and what is refused is said in the window", async () => {
  server.on(STATE, trading).refuseOnce(STOP_ALL, 503, { code: "service_unavailable" });
  await show(<HaltSwitch account={practice} />);
  await userEvent.click(await screen.findByRole("button", { name: "Stop trading" }));
  await userEvent.click(screen.getByLabelText("Stop all my accounts"));
  await userEvent.click(screen.getByLabelText("Also take back open orders"));
  await userEvent.click(screen.getByRole("button", { name: "Stop now" }));
  await screen.findByRole("alert");
  await userEvent.click(screen.getByRole("button", { name: "Stop now" }));
  expect(server.bodies(STOP_ALL)).toEqual([{ cancelOrders: false }, { cancelOrders: false }]);
});

test("a halted account says so in every room and is let go on", async () => {
  server.on(STATE, halted, halted, trading);
  await show(<HaltWarning account={practice} />, "ko");
  expect((await screen.findByRole("alert")).textContent).toMatch(/asleep$/);
  await show(<HaltSwitch account={practice} />, "ko");
  await userEvent.click(await screen.findByRole("button", { name: "거래 재개" }));
  await screen.findByRole("button", { name: "거래 중지" });
  expect(server.bodies(LIFT)).toHaveLength(1);
});

test("what the operator has stopped cannot be let go on here", async () => {
  server.on(STATE, { accountId: practice.id, halted: true, by: "operator", reason: "maintenance" });
  await show(<HaltSwitch account={practice} />);
  await screen.findByText(/maintenance/);
  expect(screen.queryByRole("button")).toBeNull();
});

test("a state that could not be loaded does not look like trading", async () => {
  server.on(STATE, trading).refuseOnce(STATE, 500, { code: "internal_error" });
  await show(<HaltSwitch account={practice} />);
  expect((await screen.findByRole("alert")).textContent).toMatch(/Whether trading is halted/);
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  await screen.findByRole("button", { name: "Stop trading" });
});
