// @vitest-environment jsdom
import { screen } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import type { AccountValue } from "@/lib/api/types";
import { MockApi } from "@/testing/mock-api";
import { practice } from "@/testing/practice";
import { show } from "@/testing/render";
import { FlowsOrigin, TaxOrigin } from "./origins";
import "@/testing/set-up";

const STATEMENT = "GET /api/accounts/{id}/statement";
const value = { accountId: practice.id, currency: "USD", tax: "1" } as AccountValue;
const CUT_SHORT = /Only the latest 500 movements/;
let server: MockApi;

beforeEach(() => {
  server = new MockApi().install();
});

test("movements that are not all say so", async () => {
  server.on(STATEMENT, { nextCursor: 7 });
  await show(<FlowsOrigin value={value} />);
  await screen.findByText(CUT_SHORT);
});

test("a division of taxes that would be wrong is not made up, and said to be missing", async () => {
  server.on(STATEMENT, { nextCursor: 7 });
  await show(<TaxOrigin value={value} />);
  await screen.findByText(CUT_SHORT);
  expect(screen.queryByRole("table")).toBeNull();
});

test("movements that are all say nothing of the kind", async () => {
  await show(<TaxOrigin value={value} />);
  await screen.findByRole("table");
  expect(screen.queryByText(CUT_SHORT)).toBeNull();
});
