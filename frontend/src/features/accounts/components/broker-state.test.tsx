// @vitest-environment jsdom
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { sampleOf } from "@/testing/api-description";
import { MockApi } from "@/testing/mock-api";
import { practice as account } from "@/testing/practice";
import { show } from "@/testing/render";
import { BrokerState } from "./broker-state";
import "@/testing/set-up";

const HALT = "GET /api/accounts/{id}/halt";
const LIFT = "POST /api/accounts/{id}/halt/lift";
const RUNS = "GET /api/reconciliations";
const run = (part: object) => ({
  ...(sampleOf({ $ref: "#/components/schemas/Reconciliation" }) as object),
  ...{ accountId: account.id, endedAt: "2026-11-20T15:00:00Z" },
  ...part,
});
let server: MockApi;

beforeEach(() => {
  server = new MockApi().install();
});

const shown = (language: "en" | "ko" = "en") =>
  show(<BrokerState account={account} orderOf={() => null} />, language);

test("an account that the house has halted says since when and where to read why, and trades again when its owner says so", async () => {
  server.on(
    HALT,
    { halted: true, reason: "execution 7 of a refused order", haltedAt: "2026-11-20T15:00:00Z" },
    { halted: false },
  );
  await shown();
  const sentence = (await screen.findByText(/Trading is halted/)).textContent;
  expect(sentence).toMatch(/2026.*to be looked at/);
  expect(sentence).not.toContain("execution 7");
  await userEvent.click(screen.getByRole("button", { name: "Let it trade again" }));
  await waitFor(() => expect(screen.queryByText(/Trading is halted/)).toBeNull());
  expect(server.bodies(LIFT)).toHaveLength(1);
});

test("a halt that could not be lifted stays, and it is said why", async () => {
  server.on(HALT, { halted: true }).refuseOnce(LIFT, 503, { code: "service_unavailable" });
  await shown();
  await userEvent.click(await screen.findByRole("button", { name: "Let it trade again" }));
  await screen.findByRole("status");
  expect(screen.getByText(/Trading is halted/)).toBeTruthy();
});

test("whether trading is halted is not known while it could not be asked", async () => {
  server.refuseOnce(HALT, 500, { code: "internal_error" });
  await shown();
  expect((await screen.findByRole("alert")).textContent).toMatch(/^Whether trading is halted: /);
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  await waitFor(() => expect(screen.queryByRole("alert")).toBeNull());
  expect(screen.queryByText(/Trading is halted since/)).toBeNull();
});

test("what differs and why a comparison failed is said in the page's language", async () => {
  const differences = [
    { kind: "order_status", commodity: null, orderId: null, ours: "NEW", theirs: "CANCELED", action: "told" },
    { kind: "position", commodity: "AAPL", orderId: null, ours: "5", theirs: "3", action: "booked" },
  ];
  server.on(RUNS, {
    reconciliations: [
      run({ id: "018f0000-0000-7000-8000-000000000002", outcome: "differed", differences }),
      run({
        id: "018f0000-0000-7000-8000-000000000001",
        outcome: "failed",
        failure: "behind",
        detail: "late",
      }),
    ],
  });
  await shown("ko");
  await screen.findByText("주문 상태 : 장부 접수됨 · 증권사 취소됨", { exact: false });
  expect(screen.getByText("증권사의 통보가 제때 기록되지 않았습니다.")).toBeTruthy();
  expect(screen.queryByText(/late|CANCELED/)).toBeNull();
});

test("an account that was never compared says so, and a comparison can be asked for", async () => {
  await shown();
  await screen.findByText("The account was not compared yet.");
  await userEvent.click(screen.getByRole("button", { name: "Compare now" }));
  await waitFor(() => expect(server.bodies("POST /api/accounts/{id}/reconcile")).toHaveLength(1));
});
