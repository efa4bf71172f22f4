// Takes the pictures of the documents, one of each room, on a running server. GAEMI_URL names it.
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { newTrader } from "./api.mjs";
import { openBrowser, signIn } from "./browser.mjs";

const FOLDER = fileURLToPath(new URL("../../docs/pictures/", import.meta.url));
/** Of 100: small files, in which text stays readable. */
const QUALITY = 82;
/** What fades or is still drawn has come to rest. */
const REST_MS = 2_500;

mkdirSync(FOLDER, { recursive: true });
const trader = await newTrader();
await trader.openAccount("Practice", "USD", "100000");
await trader.openAccount("Seoul", "KRW", "50000000");

/** @param {import("playwright-core").Page} page */
async function cameraOf(page) {
  const debug = await page.context().newCDPSession(page);
  return async (/** @type {string} */ name) => {
    await page.waitForTimeout(REST_MS);
    const { data } = await debug.send("Page.captureScreenshot", { format: "webp", quality: QUALITY });
    writeFileSync(`${FOLDER}${name}.webp`, Buffer.from(data, "base64"));
  };
}

/** @param {import("playwright-core").Page} page @param {string} shares @param {string} symbol */
async function buy(page, shares, symbol) {
  await page
    .getByRole("region", { name: "Watchlist" })
    .getByRole("button", { name: new RegExp(`^${symbol}`) })
    .click();
  await page.getByRole("heading", { name: `Order · ${symbol}` }).waitFor();
  await page.getByLabel("Shares", { exact: true }).fill(shares);
  await page.getByRole("button", { name: `Buy ${shares} ${symbol}` }).click();
  await page.getByRole("button", { name: "Send order" }).click();
  await page
    .getByRole("status")
    .getByText(new RegExp(`Filled: Bought ${shares} ${symbol}`))
    .waitFor();
}

async function onTheDesktop() {
  const { page, close } = await openBrowser({ viewport: { width: 1280, height: 800 } });
  const take = await cameraOf(page);
  const enter = (/** @type {string} */ name) =>
    page.getByRole("navigation", { name: "Rooms", exact: true }).getByRole("link", { name }).click();
  await signIn(page, trader);
  await page.getByTestId("cash").waitFor();
  for (const [shares, symbol] of [
    ["120", "AAPL"],
    ["15", "GOOG"],
    ["60", "IBM"],
  ])
    await buy(page, shares ?? "", symbol ?? "");
  await page.getByRole("region", { name: "Watchlist" }).getByRole("button", { name: /^AAPL/ }).click();
  // The notice of the last purchase has come and gone.
  await page.waitForTimeout(REST_MS);
  await page.getByLabel("Type", { exact: true }).selectOption("limit");
  const limit = page.getByLabel("Limit price (USD)", { exact: true });
  await limit.fill((Number(await limit.inputValue()) * 0.96).toFixed(2));
  await page.getByLabel("Shares", { exact: true }).fill("40");
  await page.getByRole("button", { name: "Buy 40 AAPL" }).click();
  await page.getByTestId("consequences").waitFor();
  await take("ticket");
  await page.getByRole("button", { name: "Send order" }).click();
  await page.getByTestId("chart").waitFor();
  await take("desk");
  await enter("Orders");
  await take("orders");
  await enter("Portfolio");
  await take("portfolio");
  await page.getByRole("row", { name: /^AAPL/ }).getByRole("button").nth(2).click();
  await page.getByRole("dialog", { name: "AAPL · Avg. cost" }).getByRole("row").first().waitFor();
  await take("figure");
  await page.keyboard.press("Escape");
  await enter("Accounts");
  await take("accounts");
  await page.getByRole("button", { name: "Menu" }).click();
  await page.getByRole("link", { name: "Settings and security" }).click();
  await take("settings");
  await close();
}

async function onThePhone() {
  const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
  const { page, close } = await openBrowser({ ...phone, colorScheme: "dark" });
  const take = await cameraOf(page);
  await signIn(page, trader);
  await page.getByTestId("cash").waitFor();
  await take("phone");
  await close();
}

await onTheDesktop();
await onThePhone();
