// What the page does while its server cannot be reached, and in two tabs, against a running server on recorded prices.
import assert from "node:assert/strict";
import { after } from "node:test";
import { newTrader } from "./api.mjs";
import { picture, serverUrl, signIn, waitForText } from "./browser.mjs";
import { relayTo } from "./relay.mjs";
import { beginWay } from "./way.mjs";

const relay = await relayTo(serverUrl());
after(() => relay.cut());
const trader = await newTrader();
await trader.openAccount("Practice", "USD", "10000");
const { page, watched, step } = await beginWay("offline");
step("what one tab orders, the other one sees", async () => {
  await signIn(page, trader);
  await page.getByTestId("cash").waitFor();
  const other = await page.context().newPage();
  await other.goto(serverUrl());
  await other.getByTestId("events-state").getByText("live").waitFor();
  await page.getByRole("region", { name: "Watchlist" }).getByRole("button", { name: /^AAPL/ }).click();
  await page.getByLabel("Shares", { exact: true }).fill("3");
  await page.getByRole("button", { name: "Buy 3 AAPL" }).click();
  await page.getByRole("button", { name: "Send order" }).click();
  await other
    .getByRole("status")
    .getByText(/Filled: Bought 3 AAPL/)
    .waitFor();
  await other
    .getByRole("table", { name: "Positions" })
    .getByRole("row", { name: /^AAPL 3 / })
    .waitFor();
  await other.close();
});

step("prices that stop coming are told to be old, and no order leaves unseen", async () => {
  await page.getByLabel("Shares", { exact: true }).fill("1");
  await page.getByRole("button", { name: "Buy 1 AAPL" }).click();
  await page.getByLabel(/Send without asking/).check();
  await page.getByRole("button", { name: "Send order" }).click();
  await page
    .getByRole("status")
    .getByText(/Filled: Bought 1 AAPL/)
    .waitFor();
  await relay.cut();
  await page.getByText("The connection for prices broke. The prices shown are old; reconnecting…").waitFor();
  await page.getByText(/^The connection for orders broke/).waitFor();
  await page.getByLabel("Shares", { exact: true }).fill("2");
  await page.getByRole("button", { name: "Buy 2 AAPL" }).click();
  await page
    .getByTestId("consequences")
    .getByText(/may be old/)
    .waitFor();
  await picture(page, "30-stale");
  await page.keyboard.press("Escape");
});

step("when the server is there again, the page goes on by itself", async () => {
  await relay.mend();
  await page
    .getByText(/^The connection for/)
    .first()
    .waitFor({ state: "detached" });
  await waitForText(page.getByTestId("price-state"), (text) => text === "recorded", "the prices");
  await waitForText(page.getByTestId("events-state"), (text) => text === "live", "the events");
});

step("without its server the page opens and says so, and comes back by itself", async () => {
  await relay.cut();
  await page.reload();
  await page.getByText("The server cannot be reached. Trying again…").waitFor();
  await relay.mend();
  await page
    .getByRole("table", { name: "Positions" })
    .getByRole("row", { name: /^AAPL 4 / })
    .waitFor();
  await waitForText(page.getByTestId("events-state"), (text) => text === "live", "the events");
});

step("and nothing else went wrong", async () => {
  const unexpected = watched.errors.filter(
    (error) =>
      !/ERR_(CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE|INCOMPLETE_CHUNKED_ENCODING|NETWORK_CHANGED)/.test(
        error,
      ),
  );
  assert.deepEqual(unexpected, []);
  assert.deepEqual(watched.foreign, []);
});
