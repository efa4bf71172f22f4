// The newcomer's whole way, in a real browser against a running server on recorded prices.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { hundredths, picture, serverUrl, waitForText } from "./browser.mjs";
import { beginWay } from "./way.mjs";

const EMAIL = `newcomer-${randomUUID()}@example.com`;
const PASSWORD = "ants carry fifty times their weight";
const DEPOSIT_HUNDREDTHS = 1_000_000;
/** A limit this far below the market is not reached while the test looks at it. */
const FAR_BELOW = 0.8;

const { page, watched, step } = await beginWay("newcomer");

const orderRequests = () => watched.requests.filter((request) => /^GET \/api\/orders/.test(request)).length;
const toast = () => page.getByRole("status");
const buyingPower = async () => hundredths((await page.getByTestId("buying-power").textContent()) ?? "");

step("a newcomer registers", async () => {
  await page.goto(serverUrl());
  await page.getByRole("button", { name: "New here? Create an account" }).click();
  await page.getByLabel("Email").fill(EMAIL);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByLabel("Name (optional)").fill("Newcomer");
  await picture(page, "01-welcome");
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByRole("heading", { name: "Three steps to your first order" }).waitFor();
});

step("and logs in again after signing out", async () => {
  await page.getByRole("button", { name: "Menu" }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await page.getByLabel("Email").fill(EMAIL);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("heading", { name: "Three steps to your first order" }).waitFor();
  await picture(page, "02-first-steps");
});

step("opens a simulator account in dollars", async () => {
  await page.getByLabel("Account name").fill("Practice");
  await page.getByText("US dollar").click();
  await page.getByRole("button", { name: "Open account" }).click();
  await page.getByLabel("Amount (USD)").waitFor();
});

step("deposits 10,000", async () => {
  await page.getByLabel("Amount (USD)").fill("10,000");
  await page.locator("form").getByRole("button", { name: "Deposit" }).click();
  const cash = await waitForText(page.getByTestId("cash"), (text) => text !== "", "cash");
  assert.equal(cash, "$10,000.00");
});

step("watches the price of AAPL move", async () => {
  const list = page.getByRole("region", { name: "Watchlist" });
  await list.getByRole("button", { name: /^AAPL/ }).click();
  const price = page.getByTestId("price-AAPL");
  const first = await waitForText(price, (text) => /^\d/.test(text), "a price of AAPL");
  await waitForText(price, (text) => text !== first, "another price of AAPL");
  assert.match((await page.getByTestId("price-state").textContent()) ?? "", /recorded/);
  assert.equal(await page.getByTestId("events-state").textContent(), "live");
});

step("sees candles", async () => {
  const chart = page.getByTestId("chart");
  await chart.waitFor();
  assert.match((await chart.getAttribute("aria-label")) ?? "", /Price chart of AAPL\. \d+ days from \d{4}-/);
  await page.waitForFunction(hasCandles);
  await picture(page, "03-funded-desk");
});

/** Runs in the page: whether some canvas of the chart shows pixels in the colours of candles. */
function hasCandles() {
  const probe = document.body.appendChild(document.createElement("span"));
  const wanted = ["--up", "--down"].map((name) => {
    probe.style.color = `var(${name})`;
    const [red = 0, green = 0, blue = 0] = (getComputedStyle(probe).color.match(/\d+/g) ?? []).map(Number);
    return (red << 16) | (green << 8) | blue;
  });
  probe.remove();
  for (const canvas of document.querySelectorAll("canvas")) {
    const pixels = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    let count = 0;
    for (let at = 0; at + 2 < pixels.length; at += 4) {
      const colour = ((pixels[at] ?? 0) << 16) | ((pixels[at + 1] ?? 0) << 8) | (pixels[at + 2] ?? 0);
      if (wanted.includes(colour)) count += 1;
    }
    if (count > 200) return true;
  }
  return false;
}

step("buys 10 AAPL at market and sees the fill arrive, without asking for it", async () => {
  await page.getByRole("tab", { name: "Open orders" }).click();
  await page.getByText("No order is working.").waitFor();
  await page.getByRole("tab", { name: "History" }).click();
  await page.getByText("No order has ended yet.").waitFor();
  await page.getByRole("tab", { name: "Positions" }).click();
  const asked = orderRequests();
  await page.getByLabel("Shares", { exact: true }).fill("10");
  await page.getByTestId("estimate-total").getByText("Total cost").waitFor();
  await picture(page, "04-ticket");
  await page.getByRole("button", { name: "Buy 10 AAPL" }).click();
  const card = page.getByTestId("consequences");
  await card.getByText("Cash after").waitFor();
  await card.getByText("0 → 10").waitFor();
  await picture(page, "04-consequences");
  await card.getByRole("button", { name: "Send order" }).dblclick();
  await toast()
    .getByText(/Filled: Bought 10 AAPL at \d/)
    .waitFor();
  await picture(page, "05-fill");
  await page
    .getByRole("table", { name: "Positions" })
    .getByRole("row", { name: /^AAPL 10 / })
    .waitFor();
  await page.getByRole("tab", { name: "History" }).click();
  await page
    .getByRole("table", { name: "History" })
    .getByRole("row", { name: /AAPL Buy Market 10 \/ 10 .* Filled/ })
    .waitFor();
  assert.equal(orderRequests(), asked, "the page asked for orders instead of waiting for events");
  const sent = watched.requests.filter((request) => request === "POST /api/orders").length;
  assert.equal(sent, 1, "a double click sent the order twice");
});

step("sees the position, the cash and the profit", async () => {
  await page.getByRole("tab", { name: "Positions" }).click();
  const cash = hundredths((await page.getByTestId("cash").textContent()) ?? "");
  assert.ok(cash < DEPOSIT_HUNDREDTHS, `cash is ${cash}`);
  await waitForText(page.getByTestId("total-pnl"), (text) => /[+\u2212]\d/.test(text), "a profit or loss");
  const value = hundredths((await page.getByTestId("total-value").textContent()) ?? "");
  assert.ok(value > cash, `the account is worth ${value}, no more than its cash ${cash}`);
  await page.getByRole("tab", { name: "Fills" }).click();
  await page
    .getByRole("table", { name: "Fills" })
    .getByRole("row", { name: /AAPL Buy 10/ })
    .waitFor();
});

step("places a limit order far away and cancels it", async () => {
  const asked = orderRequests();
  const before = await buyingPower();
  const price = Number((await page.getByTestId("price-AAPL").textContent())?.replaceAll(",", ""));
  await page.getByLabel("Type").selectOption("limit");
  await page.getByLabel("Limit price (USD)", { exact: true }).fill((price * FAR_BELOW).toFixed(2));
  await page.getByLabel("Valid").selectOption("gtc");
  await page.getByLabel("Shares", { exact: true }).fill("1");
  await page.getByRole("button", { name: "Buy 1 AAPL" }).click();
  await page.getByTestId("consequences").getByText("From the last price").waitFor();
  await page.getByLabel(/Send without asking/).check();
  await page.keyboard.press("Enter");
  await page.getByRole("tab", { name: "Open orders (1)" }).click();
  await page.getByRole("row", { name: /AAPL Buy 1 .* Working/ }).waitFor();
  await waitForText(
    page.getByTestId("buying-power"),
    (text) => hundredths(text) < before,
    "a hold on buying power",
  );
  await picture(page, "06-open-order");
  await page.getByRole("button", { name: "Cancel order: Buy 1 AAPL" }).click();
  await toast().getByText("Cancelled: Buy 1 AAPL").waitFor();
  await page.getByText("No order is working.").waitFor();
  await waitForText(
    page.getByTestId("buying-power"),
    (text) => hundredths(text) === before,
    "the hold's end",
  );
  assert.equal(orderRequests(), asked, "the page asked for orders instead of waiting for events");
});

step("switches to Korean", async () => {
  await page.getByRole("button", { name: "Menu" }).click();
  await page.getByText("한국어").click();
  await page.getByRole("heading", { name: "관심 종목" }).waitFor();
  await page.getByRole("tab", { name: "보유 종목" }).click();
  assert.equal(await page.locator("html").getAttribute("lang"), "ko");
  await picture(page, "07-korean");
});

step("reloads, is still logged in and finds the fills of before", async () => {
  await page.reload();
  await page.getByRole("tab", { name: "체결", exact: true }).click();
  await page
    .getByRole("table", { name: "체결" })
    .getByRole("row", { name: /^AAPL 매수 10 / })
    .waitFor();
  await page.getByRole("tab", { name: "보유 종목" }).click();
  await page
    .getByRole("table", { name: "보유 종목" })
    .getByRole("row", { name: /^AAPL 10 / })
    .waitFor();
  const kept = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
  assert.doesNotMatch(kept, /eyJ|token/i, "a token is readable by scripts");
});

step("reloads in a hurry, in the middle of the session's renewal, and is still logged in", async () => {
  const renewing = page.waitForRequest((request) => request.url().endsWith("/api/auth/refresh"));
  await page.reload({ waitUntil: "commit" });
  await renewing;
  await page.reload();
  await page
    .getByRole("table", { name: "보유 종목" })
    .getByRole("row", { name: /^AAPL 10 / })
    .waitFor();
});

step("finds the same desk on a phone and in the dark", async () => {
  await page.emulateMedia({ colorScheme: "dark" });
  await page.waitForFunction(hasCandles);
  await picture(page, "08-dark");
  await page.setViewportSize({ width: 390, height: 844 });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(overflow <= 0, `the page is ${overflow} px wider than the phone`);
  await picture(page, "09-phone", true);
});

step("gives the chart as much room as before, whatever stands in the books", async () => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.getByRole("tab", { name: "주문 내역" }).click();
  await page.getByRole("table", { name: "주문 내역" }).waitFor();
  const withRows = await page.getByTestId("chart").boundingBox();
  await page.getByRole("tab", { name: "미체결" }).click();
  const without = await page.getByTestId("chart").boundingBox();
  assert.equal(withRows?.height, without?.height);
});

step("and nothing went wrong behind the scenes", async () => {
  assert.deepEqual(watched.errors, []);
  assert.deepEqual(watched.foreign, []);
});
