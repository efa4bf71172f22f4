// Every room's main way with a finger on a phone, against a running server on recorded prices.
import assert from "node:assert/strict";
import { seriousFaults } from "./accessibility.mjs";
import { newTrader } from "./api.mjs";
import { picture, signIn, waitForText } from "./browser.mjs";
import { beginWay } from "./way.mjs";

/** More than this of a small screen is not given to the head of the page. */
const HEAD_HEIGHT_MAX = 120;

const trader = await newTrader();
await trader.openAccount("Practice", "USD", "10000");
const { page, watched, step } = await beginWay("phone", {
  viewport: { width: 390, height: 844 },
  hasTouch: true,
  isMobile: true,
});

/** @param {string} name */
const enter = (name) =>
  page.getByRole("navigation", { name: "Rooms (phone)" }).getByRole("link", { name }).tap();

/** @param {string} name */
async function looksRight(name) {
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(overflow <= 0, `${overflow} px wider than the phone`);
  assert.deepEqual(await seriousFaults(page), []);
  await picture(page, name);
}

step("shares are bought at the desk", async () => {
  await signIn(page, trader);
  await page.getByRole("region", { name: "Watchlist" }).getByRole("button", { name: /^AAPL/ }).tap();
  await page.getByRole("navigation", { name: "Sections" }).getByRole("button", { name: "Order" }).tap();
  await page.getByLabel("Shares", { exact: true }).fill("2");
  await page.getByTestId("estimate-total").waitFor();
  await page.getByRole("button", { name: "Buy 2 AAPL" }).tap();
  await page.getByTestId("consequences").waitFor();
  await looksRight("40-phone-card");
  await page.getByRole("button", { name: "Send order" }).tap();
  await page
    .getByRole("status")
    .getByText(/Filled: Bought 2 AAPL/)
    .waitFor();
  await looksRight("41-phone-desk");
});

step("an order tells its history", async () => {
  await enter("Orders");
  await page.getByRole("button", { name: "History of the order: Buy 2 AAPL" }).tap();
  await page.getByTestId("order-events").getByText("Filled", { exact: true }).waitFor();
  await looksRight("42-phone-order");
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).first().tap();
  await page
    .getByText(/^@ [0-9]/)
    .first()
    .waitFor();
  await looksRight("43-phone-orders");
});

step("a position is closed in the portfolio, with its button in sight", async () => {
  await enter("Portfolio");
  const close = page.getByRole("button", { name: "Close the position in AAPL" });
  await close.scrollIntoViewIfNeeded();
  const box = await close.boundingBox();
  assert.ok(box !== null && box.x + box.width <= 390, `the button ends at ${box && box.x + box.width} px`);
  await looksRight("44-phone-portfolio");
  await close.tap();
  await page.getByRole("dialog").getByRole("button", { name: "Close", exact: true }).last().tap();
  await page
    .getByRole("status")
    .getByText(/Filled: Sold 2 AAPL/)
    .waitFor();
});

step("the statement tells what has moved", async () => {
  await enter("Accounts");
  await page.getByRole("tab", { name: "Statement" }).tap();
  await page
    .getByRole("table", { name: "Statement" })
    .getByRole("row", { name: /Deposit/ })
    .waitFor();
  await looksRight("45-phone-statement");
});

step("an account at a broker is opened, and asks for its key", async () => {
  await page.getByRole("button", { name: "New account" }).tap();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("Alpaca", { exact: true }).tap();
  await dialog.getByLabel("Account name").fill("Elsewhere");
  await dialog.getByRole("button", { name: "Open account" }).tap();
  await page.getByRole("tab", { name: "Broker", exact: true }).tap();
  await waitForText(
    page.getByTestId("connection-state"),
    (text) => text === "No key was entered.",
    "the way",
  );
  await looksRight("46-phone-broker");
  await page.getByRole("tab", { name: "Cash" }).tap();
  await page.getByText("The broker keeps the cash of this account. Move money there.").waitFor();
  assert.equal(await page.getByRole("button", { name: "Deposit" }).count(), 0);
});

step("the whole state of the system is in sight at 360 pixels, the broker without a key too", async () => {
  await page.setViewportSize({ width: 360, height: 740 });
  await enter("Desk");
  for (const part of ["price-state", "events-state", "market-phase"]) await page.getByTestId(part).waitFor();
  await waitForText(page.getByTestId("broker-state"), (text) => text === "no key", "the broker");
  const head = await page.locator("header").first().boundingBox();
  assert.ok(head !== null && head.height <= HEAD_HEIGHT_MAX, `the head is ${head?.height} px high`);
  await looksRight("47-phone-narrow");
});

step("the language is switched", async () => {
  await page.getByRole("button", { name: "Menu" }).tap();
  await page.getByText("한국어").tap();
  await page.getByRole("button", { name: "메뉴" }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "ko");
});

step("and nothing went wrong behind the scenes", async () => {
  assert.deepEqual(watched.errors, []);
  assert.deepEqual(watched.foreign, []);
});
