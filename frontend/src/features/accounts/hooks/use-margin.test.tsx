// @vitest-environment jsdom
import { screen, waitFor } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import type { Account } from "@/lib/api/types";
import { useEventsStatus } from "@/lib/events-status";
import { MockApi } from "@/testing/mock-api";
import { practice as account, hearNewsInEachTest } from "@/testing/practice";
import { show } from "@/testing/render";
import { useBuyingPower, useMargin } from "./use-margin";
import "@/testing/set-up";

const SHOWN = "GET /api/accounts/{id}/margin";
const own = { currency: "USD", buyingPower: "9000" } as const;
const off = { accountId: account.id, margin: false, shortSelling: false };
const on = {
  ...off,
  margin: true,
  calledAt: "2026-11-20T15:00:00Z",
  use: {
    equity: "9000",
    borrowed: "0",
    longValue: "0",
    shortValue: "0",
    required: "0",
    available: "9000",
    buyingPower: "18000",
    requiredToStay: "0",
    isPriced: true,
    cash: "9000",
    shares: [],
  },
};
let server: MockApi;

hearNewsInEachTest();
beforeEach(() => {
  server = new MockApi().install();
});

function Probe({ of, balance }: { of: Account; balance: { currency: "USD" | "KRW"; buyingPower: string } }) {
  const margin = useMargin(of);
  const power = useBuyingPower(of, balance);
  return (
    <p data-testid="probe">{`called ${margin?.calledAt ?? "never"}, spends ${power ?? "nobody knows"}`}</p>
  );
}

const told = () => screen.getByTestId("probe").textContent;
const asked = () => server.sent.filter(({ name }) => name === SHOWN).length;

test("credit counts to what an order may spend, and nothing is claimed before it is known", async () => {
  server.on(SHOWN, on);
  await show(<Probe of={account} balance={own} />);
  expect(told()).toBe("called never, spends nobody knows");
  await waitFor(() => expect(told()).toBe("called 2026-11-20T15:00:00Z, spends 18000"));
});

test("without credit an order spends what is there", async () => {
  server.on(SHOWN, off);
  await show(<Probe of={account} balance={own} />);
  await waitFor(() => expect(told()).toBe("called never, spends 9000"));
});

test("credit is in the account's own currency, and no other one grows by it", async () => {
  server.on(SHOWN, on);
  await show(<Probe of={account} balance={{ currency: "KRW", buyingPower: "50000" }} />);
  await waitFor(() => expect(told()).toBe("called 2026-11-20T15:00:00Z, spends 50000"));
});

test("an account that nobody lends to is not asked about credit", async () => {
  await show(<Probe of={{ ...account, broker: "alpaca" }} balance={own} />);
  expect(told()).toBe("called never, spends 9000");
  await show(<Probe of={{ ...account, currency: "KRW" }} balance={{ ...own, currency: "KRW" }} />);
  expect(asked()).toBe(0);
});

test("when credit cannot be asked for, the account's own money is told", async () => {
  server.refuseOnce(SHOWN, 503, { code: "unavailable" });
  await show(<Probe of={account} balance={own} />);
  await waitFor(() => expect(told()).toBe("called never, spends 9000"));
});

test("nothing is asked before the page hears of news", async () => {
  useEventsStatus.setState({ ready: false });
  server.on(SHOWN, on);
  await show(<Probe of={account} balance={own} />);
  expect([asked(), told()]).toEqual([0, "called never, spends nobody knows"]);
  useEventsStatus.setState({ ready: true });
  await waitFor(() => expect(told()).toContain("spends 18000"));
});
