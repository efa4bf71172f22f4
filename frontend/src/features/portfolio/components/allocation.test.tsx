// @vitest-environment jsdom
import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { Position } from "@/lib/api/types";
import { show } from "@/testing/render";
import { Allocation } from "./allocation";
import "@/testing/set-up";

const position = (symbol: string, quantity: string, marketPrice: string) =>
  ({ symbol, quantity, marketPrice, cost: "0", currency: "USD" }) as Position;
const positions = [position("ABC", "5", "50"), position("XYZ", "-4", "25")];

/** The lines of the window that is open, and all of its text. */
async function opened(figure: HTMLElement) {
  await userEvent.click(figure);
  const origin = await screen.findByRole("dialog");
  const rows = (await within(origin).findAllByRole("row")).map((row) => row.textContent);
  const text = origin.textContent ?? "";
  await userEvent.keyboard("{Escape}");
  return { rows, text };
}

test("a part opens to its shares and to the whole that it is a part of", async () => {
  await show(<Allocation cash="750" currency="USD" positions={positions} />);
  const { rows, text } = await opened(screen.getByRole("button", { name: "25.00%" }));
  expect(rows).toEqual(["ABC 5 × 50.00250.00", "=250.00"]);
  expect(text).toContain("250.00 ÷ 1,000.00 = 25.00%");
});

test("what is owed opens to the shares and the money that are owed", async () => {
  await show(<Allocation cash="-40" currency="USD" positions={positions} />);
  const { rows } = await opened(screen.getByRole("button", { name: /\$140\.00/ }));
  expect(rows).toEqual(["XYZ −4 × 25.00100.00", "Cash40.00", "=140.00"]);
});
