// @vitest-environment jsdom
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { MockApi } from "@/testing/mock-api";
import { practice } from "@/testing/practice";
import { show } from "@/testing/render";
import { Incidents } from "./incidents";
import "@/testing/set-up";

const LIST = "GET /api/incidents";
const incident = {
  id: "018f0000-0000-7000-8000-000000000009",
  accountId: practice.id,
  kind: "oversold",
  detail: "more shares of AAPL were sold than were held",
  facts: { symbol: "AAPL" },
  occurredAt: "2026-11-20T15:00:00Z",
};
let server: MockApi;

beforeEach(() => {
  server = new MockApi().install();
});

test("an incident is told in the page's language, with its order", async () => {
  server.on(LIST, { incidents: [incident] });
  await show(<Incidents accountId={practice.id} orderOf={({ kind }) => <b>{`order of ${kind}`}</b>} />, "ko");
  await screen.findByText("보유 수량보다 많이 매도됨");
  expect(screen.getByText("AAPL: 보유 수량보다 많이 매도되었습니다.")).toBeTruthy();
  expect(screen.getByText("order of oversold")).toBeTruthy();
  expect(screen.queryByText("oversold")).toBeNull();
});

test("incidents that could not be loaded do not look like none", async () => {
  server.on(LIST, { incidents: [incident] }).refuseOnce(LIST, 500, { code: "internal_error" });
  await show(<Incidents accountId={practice.id} orderOf={() => null} />);
  expect((await screen.findByRole("alert")).textContent).toMatch(/To be looked at/);
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  await screen.findByText("More shares were sold than were held");
});
