// @vitest-environment jsdom
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import type { Account } from "@/lib/api/types";
import { sampleOf } from "@/testing/api-description";
import { MockApi } from "@/testing/mock-api";
import { show } from "@/testing/render";
import { FILE_BYTES_MAX } from "../api/imports";
import { ImportFile } from "./import-file";
import "@/testing/set-up";

const account = sampleOf({ $ref: "#/components/schemas/Account" }) as Account;
const PREVIEW = "POST /api/accounts/{id}/imports/preview";
const IMPORT = "POST /api/accounts/{id}/imports";
const CSV = "date,kind,amount,currency\n2026-01-05,deposit,100,USD\n";
const good = { lines: 1, accepted: 1, skipped: 0, refusedCount: 0, refused: [] };
let server: MockApi;

beforeEach(() => {
  server = new MockApi().install();
});

const choose = (text: string) =>
  userEvent.upload(
    screen.getByLabelText(/^CSV file/),
    new File([text], "activities.csv", { type: "text/csv" }),
  );

test("a file is looked at first and booked only when that is asked for", async () => {
  server.on(PREVIEW, { ...good, changes: [{ commodity: "USD", change: "100" }] }).on(IMPORT, good);
  await show(<ImportFile account={account} />);
  await choose(CSV);
  await screen.findByText(/^1 lines: 1 to be booked, 0 left out, 0 reasons against/);
  expect(screen.getByTestId("import-report").textContent).toContain("+100 USD");
  // What is in the file is for the browser's test: here requests cannot read the files of the document.
  expect(server.headers(PREVIEW, "Content-Type")).toEqual(["text/csv; charset=utf-8"]);
  expect(server.bodies(IMPORT)).toEqual([]);

  await userEvent.click(screen.getByRole("button", { name: "Book 1 lines" }));
  await screen.findByText("Booked: 1 lines");
  expect(server.bodies(IMPORT)).toHaveLength(1);
  expect(screen.queryByTestId("import-report")).toBeNull();
});

test("a refused line is named with its column and its rule, and nothing can be booked", async () => {
  const refused = [{ line: 7, column: 3, header: "amount", rule: "negative", message: "must be above zero" }];
  server.on(PREVIEW, { ...good, lines: 9, refusedCount: 1, refused });
  await show(<ImportFile account={account} />);
  await choose(CSV);
  const table = await screen.findByRole("table", { name: "Refused lines" });
  const row = within(table).getAllByRole("row")[1] as HTMLElement;
  const [line, column, reason] = within(row).getAllByRole("cell");
  expect([line?.textContent, column?.textContent]).toEqual(["7", "amount"]);
  expect(reason?.textContent).not.toBe("");
  expect(screen.getByRole("button", { name: "Book 1 lines" })).toHaveProperty("disabled", true);
});

test("another way to read the file looks at it anew", async () => {
  server.on(PREVIEW, good);
  await show(<ImportFile account={account} />);
  await choose(CSV);
  await screen.findByTestId("import-report");
  await userEvent.selectOptions(screen.getByLabelText("Dates"), "dmy");
  await waitFor(() => expect(server.bodies(PREVIEW)).toHaveLength(2));
  expect(server.sent.at(-1)?.query).toMatchObject({
    dateFormat: "dmy",
    decimal: "point",
    duplicates: "refuse",
  });
  expect(server.sent.at(-1)?.query).not.toHaveProperty("koreanBoard");
});

test("a file that is too large is not sent at all", async () => {
  await show(<ImportFile account={account} />);
  await choose("x".repeat(FILE_BYTES_MAX + 1));
  await screen.findByText("The file is too large: 2 MiB at most.");
  expect(server.bodies(PREVIEW)).toEqual([]);
});

test("what the server says against the booking is shown, and the file stays chosen", async () => {
  server.on(PREVIEW, good);
  server.refuseOnce(IMPORT, 409, { code: "file_imported_before" });
  await show(<ImportFile account={account} />);
  await choose(CSV);
  await userEvent.click(await screen.findByRole("button", { name: "Book 1 lines" }));
  await waitFor(() => expect(server.bodies(IMPORT)).toHaveLength(1));
  expect(await screen.findByTestId("import-report")).toBeTruthy();
  expect(screen.queryByText("Booked: 1 lines")).toBeNull();
});
