// @vitest-environment jsdom
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import type { AccountValue } from "@/lib/api/types";
import { sampleOf } from "@/testing/api-description";
import { MockApi } from "@/testing/mock-api";
import { practice } from "@/testing/practice";
import { show } from "@/testing/render";
import { FlowsOrigin, TaxOrigin } from "./movements-origin";
import "@/testing/set-up";

const STATEMENT = "GET /api/accounts/{id}/statement";
const value = {
  accountId: practice.id,
  currency: "USD",
  tax: "1",
  dividends: "0",
  netDeposits: "1500",
} as AccountValue;
const line = (sequence: number, part: object) => ({
  ...(sampleOf({ $ref: "#/components/schemas/StatementLine" }) as object),
  ...{ sequence, kind: "deposit", commodity: "USD", amount: "0", bookedAt: "2026-11-20T15:00:00Z" },
  ...part,
});
let server: MockApi;

beforeEach(() => {
  server = new MockApi().install();
});

test("movements are read to the end, page by page, and always make the whole", async () => {
  server.on(
    STATEMENT,
    { lines: [line(9, { amount: "1000" })], nextCursor: 9 },
    { lines: [line(3, { amount: "500" })] },
  );
  await show(<FlowsOrigin value={value} />);
  await screen.findByRole("row", { name: "All those before +500.00" });
  await userEvent.click(screen.getByRole("button", { name: "Show more" }));
  await screen.findByRole("row", { name: /Deposit \+500\.00/ });
  expect(screen.queryByRole("row", { name: /All those before/ })).toBeNull();
  expect(screen.getAllByRole("row").at(-1)?.textContent).toBe("=+1,500.00");
});

test("what came in kind is told with its cost, and money of another currency is not", async () => {
  const shares = line(2, { kind: "shares_in", commodity: "AAPL", symbol: "AAPL", amount: "3" });
  const won = line(1, { commodity: "KRW", amount: "50000" });
  server.on(STATEMENT, { lines: [line(3, { amount: "1200" }), shares, won] });
  await show(<FlowsOrigin value={value} />);
  await screen.findByRole("row", { name: /Shares in AAPL 3 AAPL/ });
  expect(screen.getByRole("row", { name: /Shares in kind .* \+300\.00/ })).toBeTruthy();
  expect(screen.queryByText(/50,000/)).toBeNull();
});

test("a division of taxes that would be wrong is not made up", async () => {
  server.on(STATEMENT, { nextCursor: 7 }, {});
  await show(<TaxOrigin value={value} />);
  await screen.findByText(/told once all dividends are loaded/);
  expect(screen.queryByRole("table")).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Show more" }));
  expect(await screen.findByRole("row", { name: "Of trades +1.00" })).toBeTruthy();
});

test("what could not be loaded says so and can be asked for again", async () => {
  server.refuseOnce(STATEMENT, 503, { code: "unavailable" });
  await show(<TaxOrigin value={value} />);
  await screen.findByRole("alert");
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  await screen.findByRole("table");
});
