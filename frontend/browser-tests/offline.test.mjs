// What the page does while its server cannot be reached, and in two tabs, against a running server on recorded prices.
import assert from "node:assert/strict";
import { newTrader } from "./api.mjs";
import { picture, serverUrl, signIn, waitForText } from "./browser.mjs";
import { beginWay } from "./way.mjs";

const trader = await newTrader();
await trader.openAccount("Practice", "USD", "10000");
const { page, watched, step } = await beginWay("offline");
/** The page's connections for prices, to be broken by the test. @type {import("playwright-core").WebSocketRoute[]} */
const sockets = [];
await page.routeWebSocket(/\/ws$/, (socket) => {
  socket.connectToServer();
  sockets.push(socket);
});

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
  await page.context().setOffline(true);
  for (const socket of sockets) await socket.close();
  await page.getByText("The connection for prices broke. The prices shown are old; reconnecting…").waitFor();
  await page.getByLabel("Shares", { exact: true }).fill("2");
  await page.getByRole("button", { name: "Buy 2 AAPL" }).click();
  await page
    .getByTestId("consequences")
    .getByText(/may be old/)
    .waitFor();
  await picture(page, "30-stale");
  await page.keyboard.press("Escape");
});

step("without its server the page opens and says so, and comes back by itself", async () => {
  await page.reload();
  await page.getByText("The server cannot be reached. Trying again…").waitFor();
  await page.context().setOffline(false);
  await page
    .getByRole("table", { name: "Positions" })
    .getByRole("row", { name: /^AAPL 4 / })
    .waitFor();
  await waitForText(page.getByTestId("events-state"), (text) => text === "live", "the events");
});

step("and nothing else went wrong", async () => {
  const unexpected = watched.errors.filter((error) => !/ERR_INTERNET_DISCONNECTED/.test(error));
  assert.deepEqual(unexpected, []);
  assert.deepEqual(watched.foreign, []);
});
