// Accounts at brokers: the key, an order, its execution in the books, and a comparison that finds nothing different.
import assert from "node:assert/strict";
import { test } from "node:test";
import { newTrader } from "./api.mjs";
import { picture, signIn, waitForText } from "./browser.mjs";
import { beginWay } from "./way.mjs";

/** What the stand-ins know, and at what they execute an order by market. */
const BROKERS = [
  { name: "Alpaca", keyId: "PKSTANDIN", symbol: "AAPL", price: "100.00", currency: "USD" },
  { name: "Kiwoom", keyId: "app-key-of-the-stand-in", symbol: "005930.KS", price: "70,000", currency: "KRW" },
];
const SECRET_KEY = "a-secret-of-the-stand-in";

if (process.env.GAEMI_STAND_INS === "yes") await tradeAtBrokers();
else test("accounts at brokers", { skip: "GAEMI_STAND_INS=yes says that the server trades at stand-ins" });

async function tradeAtBrokers() {
  const trader = await newTrader();
  await trader.openAccount("Practice", "USD", "1000");
  const { page, watched, step } = await beginWay("brokers");
  step("a trader signs in", () => signIn(page, trader));
  for (const broker of BROKERS) tradeAt(broker, page, step);
  step("and nothing went wrong behind the scenes", async () => {
    // The browser itself writes down that the wrong keys were refused.
    const unexpected = watched.errors.filter((error) => !/\b422\b.*\/credentials$/.test(error));
    assert.deepEqual([unexpected, watched.foreign], [[], []]);
  });
}

/**
 * The way at one broker.
 * @param {typeof BROKERS[number]} broker
 * @param {import("playwright-core").Page} page
 * @param {(what: string, work: () => Promise<void>) => void} step
 */
function tradeAt({ name, keyId, symbol, price, currency }, page, step) {
  const enter = async (/** @type {string} */ room) =>
    page.getByRole("navigation", { name: "Rooms", exact: true }).getByRole("link", { name: room }).click();
  const toast = () => page.getByRole("status");

  step(`an account at ${name} is opened and says what it lacks`, async () => {
    await enter("Accounts");
    await page.getByRole("button", { name: "New account" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText(name, { exact: true }).click();
    await dialog.getByLabel("Account name").fill(`At ${name}`);
    await dialog.getByRole("button", { name: "Open account" }).click();
    await page.getByRole("heading", { name: `At ${name}` }).waitFor();
    await page.getByRole("tab", { name: "Broker" }).click();
    await page.getByTestId("connection-state").getByText("No key was entered.").waitFor();
  });

  step(`${name} refuses a wrong key and takes the right one`, async () => {
    await page.getByLabel("Key (its public part)").fill(keyId);
    await page.getByLabel("Secret").fill("not-this-one");
    await page.getByRole("button", { name: "Connect" }).click();
    await page.getByText(/^The broker does not know this key\./).waitFor();
    await page.getByLabel("Secret").fill(SECRET_KEY);
    await page.getByRole("button", { name: "Connect" }).click();
    await page.getByTestId("connection-state").getByText("Connected.").waitFor();
    await page.getByText("agrees").first().waitFor();
    await picture(page, `30-broker-${name}`);
  });

  step(`an order is executed at ${name} and stands in the books`, async () => {
    await enter("Desk");
    const search = page.getByRole("combobox", { name: "Add a symbol" });
    await search.fill(symbol);
    await page.getByRole("option", { name: new RegExp(symbol) }).waitFor();
    await page.keyboard.press("Enter");
    await page
      .getByRole("region", { name: "Watchlist" })
      .getByRole("button", { name: new RegExp(`^${symbol}`) })
      .click();
    await page.getByLabel("Shares", { exact: true }).fill("3");
    await page.getByRole("button", { name: `Buy 3 ${symbol}` }).click();
    await page.getByTestId("consequences").getByText("Cash after").waitFor();
    await page.getByRole("button", { name: "Send order" }).click();
    await toast().getByText(`Filled: Bought 3 ${symbol} at ${price}`).waitFor();
    await page.getByRole("tab", { name: "Positions" }).click();
    await page
      .getByRole("table", { name: "Positions" })
      .getByRole("row", { name: new RegExp(`^${symbol}( simulated)? 3 ${price}`) })
      .waitFor();
    await picture(page, `31-filled-at-${name}`);
  });

  step(`a comparison with ${name} finds nothing different`, async () => {
    await enter("Accounts");
    await page.getByRole("tab", { name: "Broker" }).click();
    const lines = page.getByRole("tabpanel").getByText(/reports found/);
    const before = await lines.count();
    await page.getByRole("button", { name: "Compare now" }).click();
    await page.waitForFunction(
      ([words, count]) =>
        (document.body.innerText.match(new RegExp(String(words), "g")) ?? []).length > Number(count),
      ["reports found", before],
    );
    assert.equal(await page.getByText("differs", { exact: true }).count(), 0);
    await page.getByRole("tab", { name: "Cash" }).click();
    await waitForText(page.getByTestId(`cash-${currency}`), (text) => /\d/.test(text), "cash at the broker");
  });
}
