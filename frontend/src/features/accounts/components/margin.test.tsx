// @vitest-environment jsdom
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import type { AccountMargin } from "@/lib/api/types";
import { MockApi } from "@/testing/mock-api";
import { practice as account } from "@/testing/practice";
import { show } from "@/testing/render";
import { Margin } from "./margin";
import { MarginCall } from "./margin-call";
import "@/testing/set-up";

const SHOWN = "GET /api/accounts/{id}/margin";
const CHOSEN = "PUT /api/accounts/{id}/margin";
const rules = {
  initial: "0.5",
  maintenance: "0.25",
  shortInitial: "1.5",
  shortMaintenance: "0.3",
  equityMin: "2000",
  debitInterest: "0.0825",
  borrowFee: "0.03",
};
const NOTHING_OPEN = { buying: "0", buyingCost: "0", selling: "0", sellingWorth: "0" };
const share = (symbol: string, part: object) => ({ symbol, ...NOTHING_OPEN, ...part });
const use = {
  equity: "10250.5",
  borrowed: "0",
  longValue: "1500",
  shortValue: "3200",
  required: "2350",
  available: "7900.5",
  buyingPower: "15801",
  requiredToStay: "1335",
  isPriced: true,
  cash: "11950.5",
  shares: [
    share("AAPL", { quantity: "10", price: "150", value: "1500", required: "750", requiredToStay: "375" }),
    share("MSFT", {
      quantity: "-8",
      price: "400",
      value: "-3200",
      selling: "1",
      sellingWorth: "400",
      required: "1600",
      requiredToStay: "960",
    }),
  ],
};
const off = { accountId: account.id, margin: false, shortSelling: false, currency: "USD", rules };
const both = { ...off, margin: true, shortSelling: true, use };
let server: MockApi;

beforeEach(() => {
  server = new MockApi().install();
});

const box = (name: string) => screen.findByLabelText<HTMLInputElement>(name);
const credit = () => box("Buy US shares on credit");
const short = () => box("Sell US shares short");

test("the rules are told before anything is switched on, and no use is made up", async () => {
  server.on(SHOWN, off);
  await show(<Margin account={account} />);
  expect((await credit()).checked).toBe(false);
  const hint = screen.getByText(/must be your own/).textContent;
  for (const part of ["50%", "25%", "30%", "$2,000.00", "8.25%", "3%"]) expect(hint).toContain(part);
  expect(screen.queryByTestId("margin-use")).toBeNull();
});

test("short sales bring credit along, and what is used then is shown", async () => {
  server.on(SHOWN, off).on(CHOSEN, both);
  await show(<Margin account={account} />);
  await userEvent.click(await short());
  const figures = await screen.findByTestId("margin-use");
  expect(server.bodies(CHOSEN)).toEqual([{ margin: true, shortSelling: true }]);
  expect((await credit()).checked).toBe(true);
  for (const amount of ["$10,250.50", "$2,350.00", "$7,900.50", "$15,801.00", "$1,335.00", "$3,200.00"])
    expect(figures.textContent).toContain(amount);
});

test("credit takes short sales away with it", async () => {
  server.on(SHOWN, both).on(CHOSEN, off);
  await show(<Margin account={account} />);
  await userEvent.click(await credit());
  await waitFor(() => expect(server.bodies(CHOSEN)).toEqual([{ margin: false, shortSelling: false }]));
  await waitFor(async () => expect((await short()).checked).toBe(false));
});

test("what is in use stays switched on, and it is said why", async () => {
  server.on(SHOWN, both);
  server.refuseOnce(CHOSEN, 422, {
    code: "validation_failed",
    errors: [{ field: "shortSelling", rule: "in_use", message: "cannot be changed" }],
  });
  await show(<Margin account={account} />);
  await userEvent.click(await short());
  await screen.findByText(/is in use and cannot be changed now/);
  expect((await short()).checked).toBe(true);
  expect((await credit()).checked).toBe(true);
});

test("an account with too little of its own is told what to do, and what happens when it does not", async () => {
  const known = { ...both, calledAt: "2026-11-20T15:00:00Z" } as unknown as AccountMargin;
  const { unmount } = await show(<MarginCall margin={known} />);
  expect(screen.getByRole("alert").textContent).toMatch(/only orders that reduce what is open/);
  expect(screen.queryByText(/reduced at the market/)).toBeNull();
  unmount();
  await show(<MarginCall margin={{ ...known, reducedFrom: "2026-11-21T15:00:00Z" }} />);
  expect(screen.getByRole("alert").textContent).toMatch(/positions are reduced at the market/);
});

test("nobody is called without a reason", async () => {
  await show(<MarginCall margin={both as unknown as AccountMargin} />);
  await show(<MarginCall margin={null} />);
  expect(screen.queryByRole("alert")).toBeNull();
});

test("figures that leave a share out say so", async () => {
  server.on(SHOWN, { ...both, use: { ...use, isPriced: false } });
  await show(<Margin account={account} />);
  await screen.findByText(/has no price at present/);
});

test("each figure opens to the shares that it is made of", async () => {
  server.on(SHOWN, both);
  await show(<Margin account={account} />);
  const figures = within(await screen.findByTestId("margin-use"));
  const opened = async (label: string) => {
    const figure = figures.getByText(label).nextElementSibling as HTMLElement;
    await userEvent.click(within(figure).getByRole("button"));
    const origin = within(await screen.findByRole("dialog", { name: label }));
    const rows = (await origin.findAllByRole("row")).map((row) => row.textContent);
    const text = screen.getByRole("dialog").textContent ?? "";
    await userEvent.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    return { rows, text };
  };
  expect((await opened("Your own")).rows).toEqual([
    "Cash+11,950.50",
    "AAPL 10 × 150.00+1,500.00",
    "MSFT −8 × 400.00−3,200.00",
    "=+10,250.50",
  ]);
  const bound = await opened("Bound by positions and orders");
  expect(bound.rows).toEqual([
    "AAPL 10 × 150.00750.00",
    "MSFT −8 × 400.00; MSFT: 1 offered, for 400.001,600.00",
    "=2,350.00",
  ]);
  expect(bound.text).toContain("50% of what is held and ordered, or 50% of what is sold short");
  expect((await opened("Must stay")).rows).toEqual([
    "AAPL 10 × 150.00 × 25%375.00",
    "MSFT −8 × 400.00 × 30%960.00",
    "=1,335.00",
  ]);
  expect((await opened("Buying power")).text).toContain("7,900.50 ÷ 50% = 15,801.00");
  expect((await opened("Shares sold short")).rows).toEqual(["MSFT −8 × 400.003,200.00", "=3,200.00"]);
});
