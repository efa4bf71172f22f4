// @vitest-environment jsdom
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { ProblemError } from "@/lib/api/problem";
import type { OrderPreview } from "@/lib/api/types";
import { show } from "@/testing/render";
import { TicketFoot } from "./ticket-foot";
import "@/testing/set-up";

const tick = { field: "limitPrice", rule: "tick_size", message: "off the tick", nearest: ["70.65", "70.66"] };
const power = { field: "quantity", rule: "buying_power", message: "too much" };
const estimate = {
  side: "buy",
  currency: "USD",
  total: "495.90",
  denials: [tick, power],
} as unknown as OrderPreview;
const foot = {
  side: "buy",
  symbol: "AAPL",
  quantity: "7",
  estimate,
  current: true,
  previewFailure: null,
  placingFailure: null,
  pending: false,
  onNearest: () => {},
} as const;

test("the total and the first reason against the order stand beside the button", async () => {
  const onNearest = vi.fn();
  await show(<TicketFoot {...foot} onNearest={onNearest} />);
  expect(screen.getByTestId("estimate-total").textContent).toBe("Total cost$495.90");
  expect(screen.getByRole("button", { name: "Buy 7 AAPL" })).toBeTruthy();
  expect(screen.getByText("More reasons: 1")).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "70.66" }));
  expect(onNearest).toHaveBeenCalledWith("limitPrice", "70.66");
});

test("a refusal of the order takes the place of the estimate's reasons", async () => {
  const refusal = new ProblemError(422, "order_denied", "The market is halted.");
  await show(<TicketFoot {...foot} placingFailure={refusal} />);
  expect(screen.queryByRole("button", { name: "70.66" })).toBeNull();
  expect(screen.queryByText(/More reasons/)).toBeNull();
});

test("an unknown outcome is said to be unknown, and not to be a refusal", async () => {
  const lost = new ProblemError(0, "network", "");
  await show(<TicketFoot {...foot} placingFailure={lost} />);
  expect(screen.getByText(/^No answer came/)).toBeTruthy();
});

test("an account that is still being compared has surely taken nothing", async () => {
  const early = new ProblemError(503, "not_reconciled", "");
  await show(<TicketFoot {...foot} placingFailure={early} />);
  expect(screen.queryByText(/^No answer came/)).toBeNull();
  expect(screen.getByText(/being compared with its broker/)).toBeTruthy();
});
