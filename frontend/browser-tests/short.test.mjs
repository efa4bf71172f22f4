// An account that buys on credit and sells short, from its opening to shares bought back, and the keys that lead through the page.
import assert from "node:assert/strict";
import { seriousFaults } from "./accessibility.mjs";
import { newTrader } from "./api.mjs";
import { picture, serverUrl, signIn, waitForText } from "./browser.mjs";
import { beginWay } from "./way.mjs";

const trader = await newTrader();
const { page, watched, step } = await beginWay("short");

const toast = () => page.getByRole("status");
const positions = () => page.getByRole("table", { name: "Positions" });

/** @param {string} room */
const enter = (room) => page.getByRole("link", { name: room, exact: true }).filter({ visible: true }).click();

/** @param {string} name */
async function looksRight(name) {
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(overflow <= 0, `${name}: ${overflow} px too wide`);
  assert.deepEqual(await seriousFaults(page), []);
  await picture(page, name);
}

step("an account that may sell short is opened, and brings credit along", async () => {
  await signIn(page, trader);
  await page.getByLabel("Sell US shares short").check();
  assert.equal(await page.getByLabel("Buy US shares on credit").isChecked(), true);
  await page.getByRole("button", { name: "Open account" }).click();
  await page.getByLabel("Amount (USD)").fill("10,000");
  await page.locator("form").getByRole("button", { name: "Deposit" }).click();
  await waitForText(page.getByTestId("cash"), (text) => text === "$10,000.00", "the cash");
  // Half of what is bought must be the account's own.
  await waitForText(page.getByTestId("buying-power"), (text) => text === "$20,000.00", "the buying power");
});

step("an order that binds nearly everything says so before it is sent", async () => {
  await page.getByRole("region", { name: "Watchlist" }).getByRole("button", { name: /^AAPL/ }).click();
  const text = await waitForText(
    page.getByTestId("price-AAPL"),
    (shown) => /^\d/.test(shown),
    "a price of AAPL",
  );
  const price = Number(text.replaceAll(",", ""));
  await page.getByLabel("Type").selectOption("limit");
  // Far below the market, so that it could only wait.
  await page.getByLabel("Limit price (USD)", { exact: true }).fill((price * 0.9).toFixed(2));
  await page.getByLabel("Shares", { exact: true }).fill(String(Math.floor(19_400 / (price * 0.9))));
  await page.getByRole("button", { name: /^Buy [\d,]+ AAPL/ }).click();
  await page
    .getByTestId("consequences")
    .getByText(/^With it 9\d% of your own money is bound\.$/)
    .waitFor();
  await picture(page, "50-near-limit");
  await page.keyboard.press("Escape");
});

step("shares are sold short, and stand below zero", async () => {
  await page.getByLabel("Type").selectOption("market");
  await page.locator("#ticket").getByText("Sell", { exact: true }).click();
  await page.getByLabel("Shares", { exact: true }).fill("20");
  await page.getByRole("button", { name: "Sell 20 AAPL" }).click();
  await page.getByTestId("consequences").getByText("0 → −20").waitFor();
  await page.getByRole("button", { name: "Send order" }).click();
  await toast()
    .getByText(/Filled: Sold 20 AAPL/)
    .waitFor();
  await positions()
    .getByRole("row", { name: /AAPL ?sold short −20 / })
    .waitFor();
  await picture(page, "51-short");
});

step("a call for more of one's own is told on a screen of every size, and keeps nobody out", async () => {
  const margin = "**/api/accounts/*/margin";
  const called = { calledAt: "2026-11-20T15:00:00Z", reducedFrom: "2026-11-21T15:00:00Z" };
  await page.route(margin, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), ...called } });
  });
  const sizes = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };
  for (const [name, size] of Object.entries(sizes)) {
    await page.setViewportSize(size);
    await page.goto(serverUrl());
    await page.getByText(/^Too little of your own since .*positions are reduced/).waitFor();
    await positions()
      .getByRole("row", { name: /AAPL ?sold short −20 / })
      .waitFor();
    await looksRight(`52-called-${name}-desk`);
    await enter("Portfolio");
    await page.getByRole("button", { name: /^Buy back the shares of AAPL/ }).waitFor();
    await looksRight(`53-called-${name}-portfolio`);
    await enter("Accounts");
    await page
      .getByRole("region", { name: "USD", exact: true })
      .getByText("Buying power", { exact: true })
      .waitFor();
    await page.getByRole("tab", { name: "Broker" }).click();
    await page.getByTestId("margin-use").waitFor();
    await page.getByText(/^Too little of your own since /).waitFor();
    await looksRight(`54-called-${name}-broker`);
  }
  await page.unroute(margin);
  await page.setViewportSize(sizes.desktop);
  await page.goto(serverUrl());
  await positions().waitFor();
});

step("the portfolio leads back to the ticket, which buys as many back", async () => {
  await page.locator("body").click({ position: { x: 2, y: 2 } });
  await page.keyboard.press("3");
  await page.getByTestId("worth-USD").waitFor();
  await page.getByRole("button", { name: /^Buy back the shares of AAPL/ }).click();
  await page.getByRole("heading", { name: "Order · AAPL" }).waitFor();
  await page.getByRole("button", { name: "Buy 20 AAPL" }).click();
  await page.getByTestId("consequences").getByText("Gain realised, before fees").waitFor();
  await page.getByRole("button", { name: "Send order" }).click();
  await toast()
    .getByText(/Filled: Bought 20 AAPL/)
    .waitFor();
  await page.getByText(/^No shares yet/).waitFor();
});

step("keys lead through the watchlist and the rooms", async () => {
  await page.locator("body").click({ position: { x: 2, y: 2 } });
  await page.keyboard.press("j");
  const next = page.getByRole("heading", { name: /^Order · (?!AAPL)/ });
  await next.waitFor();
  await page.keyboard.press("k");
  await page.getByRole("heading", { name: "Order · AAPL" }).waitFor();
  for (const [key, heading] of [
    ["2", "Orders"],
    ["4", "Practice"],
    ["1", "Desk"],
  ]) {
    await page.keyboard.press(key ?? "");
    await page.getByRole("heading", { level: 1, name: new RegExp(`^${heading}`) }).waitFor();
  }
});

step("the pointer reads a bar of the chart in numbers", async () => {
  const chart = page.getByTestId("chart");
  await chart.hover();
  await page
    .locator("#chart")
    .getByText(/^O [\d.,]+$/)
    .waitFor();
});

step("and nothing went wrong behind the scenes", async () => {
  assert.deepEqual(watched.foreign, []);
  assert.deepEqual(watched.errors, []);
});
