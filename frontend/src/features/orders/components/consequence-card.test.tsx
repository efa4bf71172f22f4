// @vitest-environment jsdom
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import type { Account, Lot, OrderPreview, PlaceOrder, Position } from "@/lib/api/types";
import { Decimal } from "@/lib/decimal";
import { setPreferences, usePreferences } from "@/lib/preferences";
import { sampleOf } from "@/testing/api-description";
import { MockApi } from "@/testing/mock-api";
import { show } from "@/testing/render";
import { ConsequenceCard } from "./consequence-card";
import "@/testing/set-up";

const sample = <T,>(name: string) => sampleOf({ $ref: `#/components/schemas/${name}` }) as T;
const account = { ...sample<Account>("Account"), currency: "USD" } as Account;
const PREVIEW = "POST /api/orders/preview";
const estimate = {
  ...sample<OrderPreview>("OrderPreview"),
  side: "buy",
  symbol: "AAPL",
  currency: "USD",
  quantity: "10",
  estimatedPrice: "70",
  commission: "0.7",
  tax: "0",
  total: "700.7",
  buyingPowerAfter: "299.3",
  denials: [],
} as OrderPreview;
const order = (part: Partial<PlaceOrder>) =>
  ({
    accountId: account.id,
    symbol: "AAPL",
    side: "buy",
    type: "limit",
    limitPrice: "70",
    quantity: "10",
    ...part,
  }) as PlaceOrder;
const state = {
  cash: "1000",
  buyingPower: new Decimal("1000"),
  worth: () => new Decimal("1000"),
  position: undefined,
};
let server: MockApi;

beforeEach(() => {
  server = new MockApi().install();
  setPreferences({ confirmOrders: true });
});

interface Changes {
  wish?: PlaceOrder;
  before?: Partial<Parameters<typeof ConsequenceCard>[0]["state"]>;
  stale?: boolean;
}

async function card({ wish = order({}), before = {}, stale = false }: Changes = {}) {
  const [onSend, onClose] = [vi.fn(), vi.fn()];
  await show(
    <ConsequenceCard
      wish={{ kind: "order", order: wish }}
      account={account}
      state={{ ...state, ...before }}
      stale={stale}
      onSend={onSend}
      onClose={onClose}
    />,
  );
  return { onSend, onClose };
}

/** What stands beside a word of the card. */
const figure = async (label: string) =>
  (await screen.findByText(label, { selector: "dt" })).nextElementSibling?.textContent;

test("limits that come close are told, each in its own way", async () => {
  const nearLimits = [
    { limit: "buying_power", reached: "985.99", bound: "1000" },
    { limit: "price_floor", reached: "7200", bound: "7000" },
  ];
  server.on(PREVIEW, { ...estimate, nearLimits });
  await card();
  await screen.findByText("Takes 98% of the buying power that is left.");
  await screen.findByText("Close to the lowest price that the day allows, 7,000.00.");
});

test("a purchase shows what is left of the money, and how much of the account the share will be", async () => {
  server.on(PREVIEW, { ...estimate });
  const { onSend } = await card();
  expect(await figure("Total cost")).toBe("$700.70");
  expect(await figure("Cash after")).toBe("$299.30");
  expect(await figure("Buying power after")).toBe("$299.30");
  expect(await figure("Shares")).toBe("0 → 10");
  expect(await figure("Share of the account after")).toBe("70.05%");
  expect(screen.queryByText("Gain realised, before fees")).toBeNull();
  expect(onSend).not.toHaveBeenCalled();
  await userEvent.click(screen.getByRole("button", { name: "Send order" }));
  expect(onSend).toHaveBeenCalledOnce();
  expect(usePreferences.getState().confirmOrders).toBe(true);
});

test("a sale shows the lots that go, the oldest first, and what they have gained", async () => {
  const lot = (part: Partial<Lot>) => ({ ...sample<Lot>("Lot"), symbol: "AAPL", currency: "USD", ...part });
  server.on(PREVIEW, { ...estimate, side: "sell", total: "699.3" });
  server.on("GET /api/portfolio/lots", {
    lots: [
      lot({
        id: "018f0000-0000-7000-8000-00000000000a",
        acquiredOn: "2026-01-05",
        quantity: "4",
        cost: "200",
      }),
      lot({
        id: "018f0000-0000-7000-8000-00000000000b",
        acquiredOn: "2026-02-05",
        quantity: "8",
        cost: "640",
      }),
    ],
  });
  const held = {
    ...sample<Position>("Position"),
    symbol: "AAPL",
    quantity: "12",
    costMethod: "fifo",
  } as Position;
  await card({ wish: order({ side: "sell" }), before: { position: held } });
  expect(await figure("Proceeds")).toBe("$699.30");
  expect(await figure("Cash after")).toBe("$1,699.30");
  expect(await figure("Shares")).toBe("12 → 2");
  // 4 × (70 − 50) + 6 × (70 − 80).
  expect(await figure("Gain realised, before fees")).toBe("+20.00");
  const lots = screen.getAllByText(/ of .*2026/, { selector: "dt" });
  expect(lots.map((dt) => dt.nextElementSibling?.textContent)).toEqual(["+80.00", "−60.00"]);
});

test("what speaks against the order is said before it is sent, and it can be sent all the same", async () => {
  const message = "needs more than there is";
  server.on(PREVIEW, { ...estimate, denials: [{ field: "quantity", rule: "a_rule_of_tomorrow", message }] });
  const { onSend } = await card({ stale: true });
  await screen.findByText(message);
  expect(screen.getByText(/^The connection is broken/)).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "Send order" }));
  expect(onSend).toHaveBeenCalledOnce();
});

test("an estimate that fails leaves no figures of another order", async () => {
  server.refuseOnce(PREVIEW, 503, { code: "no_price" });
  await card();
  await screen.findByRole("button", { name: "Send order" });
  expect(screen.queryByText("Total cost")).toBeNull();
});

test("who does not want to be asked again is not, but only once the order is sent", async () => {
  server.on(PREVIEW, { ...estimate });
  const { onClose } = await card();
  await userEvent.click(screen.getByRole("checkbox"));
  await userEvent.click(screen.getByRole("button", { name: "Back" }));
  expect(onClose).toHaveBeenCalledOnce();
  expect(usePreferences.getState().confirmOrders).toBe(true);
  await userEvent.click(screen.getByRole("button", { name: "Send order" }));
  expect(usePreferences.getState().confirmOrders).toBe(false);
});

test("lots that could not be loaded say so, and the order can still be judged and sent", async () => {
  const position = { ...sample<Position>("Position"), symbol: "AAPL", quantity: "20", cost: "1000" };
  server.on(PREVIEW, { ...estimate, side: "sell" });
  server.refuseOnce("GET /api/portfolio/lots", 503, { code: "unavailable" });
  const { onSend } = await card({ wish: order({ side: "sell" }), before: { position } });
  expect((await screen.findByRole("alert")).textContent).toMatch(/^Lots: /);
  await userEvent.click(screen.getByRole("button", { name: "Send order" }));
  expect(onSend).toHaveBeenCalledOnce();
});
