// @vitest-environment jsdom
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import type { Account, StatementLine } from "@/lib/api/types";
import { sampleOf } from "@/testing/api-description";
import { MockApi } from "@/testing/mock-api";
import { show } from "@/testing/render";
import { Statement } from "./statement";
import "@/testing/set-up";

const account = sampleOf({ $ref: "#/components/schemas/Account" }) as Account;
const STATEMENT = "GET /api/accounts/{id}/statement";
let server: MockApi;

beforeEach(() => {
  server = new MockApi().install();
});

function line(part: Partial<StatementLine>): StatementLine {
  const plainest = sampleOf({ $ref: "#/components/schemas/StatementLine" }) as StatementLine;
  return { ...plainest, commodity: "USD", ledgerAccount: "cash", ...part };
}

const cells = (row: HTMLElement) =>
  within(row)
    .getAllByRole("cell")
    .map((cell) => cell.textContent?.trim());

test("money shows its cents and shares their parts, each with what is left after it", async () => {
  const deposit = line({ sequence: 1, kind: "deposit", amount: "1000", balance: "1000" });
  const shares = {
    sequence: 2,
    kind: "fill",
    symbol: "AAPL",
    commodity: "AAPL",
    ledgerAccount: "shares",
    amount: "1.5",
    balance: "11.5",
  };
  server.on(STATEMENT, { lines: [line(shares), deposit] });
  await show(<Statement account={account} />);
  const [first, second] = (await screen.findAllByRole("row")).slice(1) as [HTMLElement, HTMLElement];
  expect(cells(first).slice(1, 5)).toEqual(["Execution AAPL", "shares", "+1.5 AAPL", "11.5"]);
  expect(cells(second).slice(1, 5)).toEqual(["Deposit", "cash", "+1,000.00 USD", "1,000.00"]);
});

test("lines are asked for by kind and by whole days, and the next page from where this one ends", async () => {
  const later = {
    lines: [line({ sequence: 9, kind: "dividend", amount: "5", balance: "5" })],
    nextCursor: 9,
  };
  const earlier = { lines: [line({ sequence: 3, kind: "dividend", amount: "2", balance: "2" })] };
  await show(<Statement account={account} />);
  await screen.findByText("Nothing was booked yet, or nothing matches.");
  server.on(STATEMENT, later, earlier);
  await userEvent.selectOptions(screen.getByLabelText("Kind"), "dividend");
  await screen.findByText("+5.00");
  expect(server.sent.at(-1)?.query).toMatchObject({ kind: "dividend" });
  await userEvent.click(screen.getByRole("button", { name: "Show more" }));
  await screen.findByText("+2.00");
  expect(server.sent.at(-1)?.query).toMatchObject({ kind: "dividend", cursor: "9" });
  expect(screen.getByText("+5.00")).toBeTruthy();

  server.on(STATEMENT, { lines: [] });
  await userEvent.type(screen.getByLabelText("To"), "2026-11-20");
  await waitFor(() => expect(server.sent.at(-1)?.query.to).toBeDefined());
  const end = new Date(server.sent.at(-1)?.query.to ?? "");
  expect(end).toEqual(new Date(2026, 10, 21));
});

test("a failure says so and can be tried again", async () => {
  server.refuseOnce(STATEMENT, 503, { code: "service_unavailable" });
  await show(<Statement account={account} />);
  await userEvent.click(await screen.findByRole("button", { name: "Try again" }));
  await screen.findByText("Nothing was booked yet, or nothing matches.");
});
