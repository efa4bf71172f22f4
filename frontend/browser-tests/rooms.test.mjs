// The rooms of the page, each by its main way, against a running server on recorded and invented prices.
import assert from "node:assert/strict";
import { seriousFaults } from "./accessibility.mjs";
import { newTrader } from "./api.mjs";
import { picture, serverUrl, signIn, waitForText } from "./browser.mjs";
import { beginWay } from "./way.mjs";

/** A limit this far from the market is not reached while the test looks at it, and stands in a chart of all days. */
const FAR_BELOW = 0.9;

const trader = await newTrader();
await trader.openAccount("Practice", "USD", "100000");
await trader.openAccount("Seoul", "KRW", "50000000");
const { page, watched, step } = await beginWay("rooms");

const toast = () => page.getByRole("status");
const ticket = () => page.locator("#ticket");
const send = () => page.getByRole("button", { name: "Send order" });

/** @param {string} name */
async function enter(name) {
  await page.getByRole("navigation", { name: "Rooms", exact: true }).getByRole("link", { name }).click();
}

async function priceOfApple() {
  const text = await waitForText(
    page.getByTestId("price-AAPL"),
    (shown) => /^\d/.test(shown),
    "a price of AAPL",
  );
  return Number(text.replaceAll(",", ""));
}

step("the state of everything is seen at the top", async () => {
  await signIn(page, trader);
  await page.getByTestId("market-phase").waitFor();
  await page.getByText(/^Replay of \w+ \d+, \d{4}$/).waitFor();
  assert.equal(await page.getByTestId("market-phase").textContent(), "open");
  await page.getByTestId("broker-state").waitFor();
});

step("a part of the buying power becomes shares that it pays for", async () => {
  await page.getByRole("region", { name: "Watchlist" }).getByRole("button", { name: /^AAPL/ }).click();
  await page.getByRole("button", { name: "50%: of buying power" }).click();
  const shares = page.getByLabel("Shares", { exact: true });
  await page.waitForFunction(() =>
    /^\d+$/.test(
      /** @type {HTMLInputElement | null} */ (document.querySelector("#ticket input[inputmode=decimal]"))
        ?.value ?? "",
    ),
  );
  const worth = Number(await shares.inputValue()) * (await priceOfApple());
  assert.ok(worth > 40_000 && worth <= 50_000, `${worth} is not about half of 100,000`);
});

step("shares are bought by keyboard alone", async () => {
  await page.locator("body").click({ position: { x: 2, y: 2 } });
  await page.keyboard.press("b");
  await page.keyboard.type("30");
  await ticket().getByText("Total cost").waitFor();
  await page.keyboard.press("Enter");
  await page.getByTestId("consequences").getByText("0 → 30").waitFor();
  await send().waitFor();
  await page.keyboard.press("Enter");
  await toast()
    .getByText(/Filled: Bought 30 AAPL/)
    .waitFor();
});

step("a purchase with its exits is one wish, and is listed as a group", async () => {
  const price = await priceOfApple();
  await page.getByLabel("Type").selectOption("limit");
  await page.getByLabel("Limit price (USD)", { exact: true }).fill((price * FAR_BELOW).toFixed(2));
  await page.getByLabel("Shares", { exact: true }).fill("5");
  await page.getByLabel("With take profit and stop loss").check();
  await page.getByLabel("Take profit at (USD)", { exact: true }).fill((price * 1.5).toFixed(2));
  await page.getByLabel("Stop loss at (USD)", { exact: true }).fill((price * 0.5).toFixed(2));
  await ticket().getByRole("button", { name: "Buy 5 AAPL" }).click();
  await page
    .getByTestId("consequences")
    .getByText(/Take profit .*, stop loss/)
    .waitFor();
  await picture(page, "20-bracket");
  await send().click();
  await toast().getByText("Order accepted: Buy 5 AAPL").waitFor();
  await page.getByLabel("With take profit and stop loss").uncheck();
});

step("the line of an order is taken to another price in the chart", async () => {
  await page.locator("#chart").getByText("All", { exact: true }).click();
  const chart = await page.getByTestId("chart").boundingBox();
  assert.ok(chart !== null);
  await page.waitForFunction(lineHeight);
  const y = (await page.evaluate(lineHeight)) ?? 0;
  const changed = page.waitForResponse((response) => response.request().method() === "PATCH");
  await page.mouse.move(chart.x + 80, y);
  await page.mouse.down();
  await page.mouse.move(chart.x + 80, y + 8, { steps: 4 });
  await page.mouse.up();
  await page
    .getByRole("dialog")
    .getByText(/Limit price: from .* to /)
    .waitFor();
  await picture(page, "20-line-moved");
  await page.getByRole("button", { name: "Change the order" }).click();
  assert.equal((await changed).ok(), true);
  await toast().getByText("The change was sent to the broker.").waitFor();
});

/** Runs in the page: how far down the line of an order stands, told by the pointer's form over the chart. */
function lineHeight() {
  const element = document.querySelector('[data-testid="chart"]');
  if (!(element instanceof HTMLElement)) return null;
  const box = element.getBoundingClientRect();
  for (let at = box.top + 2; at < box.bottom; at += 2) {
    const move = { clientX: box.left + 80, clientY: at, bubbles: true };
    element.dispatchEvent(new PointerEvent("pointermove", move));
    if (element.style.cursor === "ns-resize") return at + 4;
  }
  return null;
}

step("one order triggers another", async () => {
  const price = await priceOfApple();
  await page.getByLabel("Limit price (USD)", { exact: true }).fill((price * FAR_BELOW).toFixed(2));
  await page.getByLabel("Shares", { exact: true }).fill("2");
  await page.getByLabel(/^Then another order/).check();
  await page.getByLabel("Its price (USD)", { exact: true }).fill((price * 1.5).toFixed(2));
  await ticket().getByRole("button", { name: "Buy 2 AAPL" }).click();
  await page
    .getByTestId("consequences")
    .getByText(/then Sell: Limit/)
    .waitFor();
  await send().click();
  await toast().getByText("Order accepted: Buy 2 AAPL").waitFor();
  await page.getByLabel(/^Then another order/).uncheck();
});

step("the last trades and the way of the last weeks are seen at the desk", async () => {
  await page.getByRole("table", { name: "Last trades" }).getByRole("row").nth(1).waitFor();
  await page.getByTestId("sparkline-AAPL").waitFor();
});

step("the room of orders shows every order, filters, and tells what happened to one", async () => {
  await enter("Orders");
  const list = page.getByRole("table", { name: "Orders" });
  await list.getByRole("row", { name: /AAPL Buy 30 \/ 30/ }).waitFor();
  const groups = page.getByRole("region", { name: "Orders that belong together" });
  for (const kind of ["entry with exits", "one triggers the other"]) await groups.getByText(kind).waitFor();
  await page.getByText("Orders of this search: 3. All are shown.").waitFor();
  await page.getByLabel("Status").selectOption("filled");
  await page.getByText("Orders of this search: 1. All are shown.").waitFor();
  assert.match(page.url(), /status=filled/);
  await list.getByRole("button", { name: "History of the order: Buy 30 AAPL" }).click();
  const events = page.getByTestId("order-events");
  for (const word of ["Placed", "Accepted by the broker", "Filled"])
    await events.getByText(word, { exact: true }).waitFor();
  await picture(page, "21-order-detail");
  await page.keyboard.press("Escape");
});

step("an open order is changed, and its list is saved as a file", async () => {
  await page.getByLabel("Status").selectOption("open");
  await page.getByRole("button", { name: "History of the order: Buy 5 AAPL" }).click();
  const detail = page.getByRole("dialog");
  await detail.getByRole("button", { name: "Change", exact: true }).click();
  const limit = detail.getByLabel("Limit price", { exact: true });
  await limit.fill((Number(await limit.inputValue()) - 1).toFixed(2));
  await detail.getByRole("button", { name: "Send the change" }).click();
  // The word about an earlier change may still be there.
  await toast().getByText("The change was sent to the broker.").last().waitFor();
  // The first change was made in the chart.
  await page.getByTestId("order-events").getByText("Changed", { exact: true }).nth(1).waitFor();
  await page.keyboard.press("Escape");
  const saving = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save as CSV" }).click();
  assert.equal((await saving).suggestedFilename(), "gaemi-orders.csv");
});

step("all open orders are taken back after a question", async () => {
  await page.getByRole("button", { name: "Cancel all" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel all" }).click();
  await page.getByText("No order matches this search.").waitFor();
  await picture(page, "22-orders");
});

/**
 * A figure opens by keyboard to the line that is looked for, and Escape gives the focus back.
 * @param {string} label
 * @param {RegExp} line
 */
async function opened(label, line) {
  const figure = page.getByText(label, { exact: true }).locator("xpath=following::button[1]");
  await figure.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: label }).getByRole("row", { name: line }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.equal(await figure.evaluate((element) => element === document.activeElement), true);
}

step("the portfolio opens its figures and closes a position", async () => {
  await enter("Portfolio");
  await page.getByTestId("worth-USD").waitFor();
  await opened("Total P&L", /Paid in, net −100,000\.00/);
  await opened("Paid in, net", /\d Deposit \+100,000\.00/);
  await opened("Commissions", /^AAPL \+/);
  const shares = page.getByRole("row", { name: /^AAPL/ }).getByRole("button", { name: "30", exact: true });
  await shares.click();
  await page
    .getByRole("dialog", { name: "AAPL · Quantity" })
    .getByRole("row", { name: /Execution \+30 × [\d.]+ \+30/ })
    .waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  await picture(page, "23-figure");
  // Another click closes what the first has opened.
  await shares.click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.getByRole("tab", { name: "Lots" }).click();
  const lot = page.getByRole("table", { name: "Lots" }).getByRole("row", { name: /AAPL .* 30/ });
  await lot.getByRole("button").last().click();
  await page.getByRole("row", { name: /came in \+/ }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("tab", { name: "Positions" }).click();
  await page.getByRole("button", { name: "Close the position in AAPL" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Close", exact: true }).last().click();
  await toast()
    .getByText(/Filled: Sold 30 AAPL/)
    .waitFor();
  await page.getByRole("tab", { name: "Sales" }).click();
  await page.getByRole("table", { name: "Sales" }).getByRole("button", { name: "AAPL" }).click();
  await page.getByRole("dialog").getByText("First in, first out").waitFor();
  await picture(page, "23-sale");
  await page.keyboard.press("Escape");
});

step("the account's course is told, beside a share of one's choice", async () => {
  await page.getByRole("heading", { name: "How it has done, in USD" }).waitFor();
  await page.getByLabel("Beside").selectOption("AAPL");
  await page.getByText("Result", { exact: true }).locator("xpath=following-sibling::button").click();
  await page.getByText(/One unit of money of the beginning/).waitFor();
  await page.keyboard.press("Escape");
  await picture(page, "23-portfolio", true);
});

step("money is taken out, converted and moved, and the statement tells it", async () => {
  await enter("Accounts");
  await page.getByRole("button", { name: "Withdraw" }).click();
  await page.getByRole("dialog").getByLabel("Amount (USD)").fill("100");
  await page.getByRole("dialog").getByRole("button", { name: "Withdraw" }).click();
  await toast().getByText("Withdrawn $100.00").waitFor();
  await page.getByRole("button", { name: "Convert" }).click();
  await page.getByRole("dialog").getByLabel("Amount (USD)").fill("100");
  await page.getByRole("dialog").getByLabel("KRW for one USD").fill("1400");
  await page
    .getByRole("dialog")
    .getByText(/Brings ₩140,000/)
    .waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Convert" }).click();
  await waitForText(page.getByTestId("cash-KRW"), (text) => text === "₩140,000", "converted won");
  await page.getByRole("button", { name: "Transfer" }).click();
  await page.getByRole("dialog").getByLabel("Amount (USD)").fill("50");
  await page.getByRole("dialog").getByRole("button", { name: "Transfer" }).click();
  await toast().getByText("Transferred $50.00").waitFor();
  await page.getByRole("tab", { name: "Statement" }).click();
  const statement = page.getByRole("table", { name: "Statement" });
  for (const kind of ["Withdrawal", "Currency given", "Transfer out"])
    await statement
      .getByRole("row", { name: new RegExp(kind) })
      .first()
      .waitFor();
  await picture(page, "24-statement");
});

/** @param {string[]} lines */
const csv = (lines) => ({
  name: "activities.csv",
  mimeType: "text/csv",
  buffer: Buffer.from(`date,kind,symbol,quantity,price,amount,currency\n${lines.join("\n")}\n`),
});

step("a file is looked at first, and booked whole", async () => {
  await page.getByRole("tab", { name: "Import" }).click();
  const file = page.getByLabel(/^CSV file/);
  const deposit = "2025-01-02,deposit,,,,5000,USD";
  await file.setInputFiles(csv([deposit, "2025-01-03,buy,AAPL,ten,150,,USD"]));
  await page
    .getByRole("table", { name: "Refused lines" })
    .getByRole("row", { name: /3 quantity/ })
    .waitFor();
  assert.ok(await page.getByRole("button", { name: /^Book / }).isDisabled());
  await picture(page, "25-import-refused");
  await file.setInputFiles(csv([deposit, "2025-01-03,buy,AAPL,10,150,,USD"]));
  await page.getByRole("button", { name: "Book 2 lines" }).click();
  await toast().getByText("Booked: 2 lines").waitFor();
});

step("a play account begins anew once its name is typed", async () => {
  await page.getByRole("tab", { name: "Begin anew" }).click();
  const begin = page.getByRole("tabpanel").getByRole("button", { name: "Begin anew" });
  assert.ok(await begin.isDisabled());
  await page.getByLabel("Opening deposit (optional) (USD)").fill("1000");
  await page.getByLabel(/Type the name of the account/).fill("Practice");
  await begin.click();
  await page.getByTestId("resets").getByText("done").waitFor();
  await page.getByRole("tab", { name: "Cash" }).click();
  await waitForText(page.getByTestId("cash-USD"), (text) => text === "$1,000.00", "the opening deposit");
});

step("trading is stopped at once, every room says so, and it goes on when it is let", async () => {
  const told = page.getByRole("alert").getByText(/^You have stopped trading in this account/);
  await page.getByRole("tab", { name: "Broker" }).click();
  await page.getByRole("button", { name: "Stop trading" }).click();
  await page.getByRole("dialog", { name: "Stop trading" }).waitFor();
  await picture(page, "26-stop");
  await page.getByRole("button", { name: "Stop now" }).click();
  await told.first().waitFor();
  await picture(page, "26-stopped");
  await enter("Desk");
  await told.waitFor();
  await page.getByRole("region", { name: "Watchlist" }).getByRole("button", { name: /^AAPL/ }).click();
  await page.getByLabel("Type", { exact: true }).selectOption("market");
  await page.getByLabel("Shares", { exact: true }).fill("1");
  await page.getByRole("button", { name: "Buy 1 AAPL" }).click();
  await send().click();
  await page.getByText("Trading is halted in this account.").waitFor();
  await page.keyboard.press("Escape");
  await enter("Accounts");
  await page.getByRole("tab", { name: "Broker" }).click();
  await page.getByRole("button", { name: "Let it trade again" }).click();
  await page.getByRole("button", { name: "Stop trading" }).waitFor();
  await told.waitFor({ state: "detached" });
});

step("shares are found by Korean initials and kept on a list of their own", async () => {
  await enter("Desk");
  await page.getByRole("button", { name: "New list" }).click();
  await page.getByLabel("Name of the list").fill("Seoul");
  await page.getByRole("button", { name: "Add the list" }).click();
  const search = page.getByRole("combobox", { name: "Add a symbol" });
  for (const [typed, symbol] of [
    ["ㅅㅅㅈㅈ", "005930.KS"],
    ["kakao", "035720.KS"],
  ]) {
    await search.fill(typed ?? "");
    await page.getByRole("option", { name: new RegExp(symbol ?? "") }).waitFor();
    await page.keyboard.press("Enter");
  }
  const list = page.getByRole("region", { name: "Watchlist" });
  await list.getByRole("button", { name: /^Move 035720.KS/ }).focus();
  await page.keyboard.press("ArrowUp");
  await page.reload();
  await page.getByTestId("price-005930.KS").waitFor();
  const symbols = (await list.getByRole("listitem").allInnerTexts()).map(
    (row) => row.match(/\d{6}\.K[SQ]/)?.[0],
  );
  assert.deepEqual(symbols, ["035720.KS", "005930.KS"]);
});

step("an order book stands where the source tells one, and its prices are taken", async () => {
  await page.getByLabel("Account", { exact: true }).selectOption({ label: "Seoul · KRW" });
  const book = page.getByRole("table", { name: "Order book" });
  await book.getByRole("button").first().click();
  await page.getByLabel("Limit price (KRW)", { exact: true }).waitFor();
  assert.match(await page.getByLabel("Limit price (KRW)", { exact: true }).inputValue(), /^\d+$/);
  await picture(page, "26-order-book");
});

step("the parts of the desk are resized, and stay so", async () => {
  const divider = page.getByRole("separator", { name: "Width of the watchlist" });
  await divider.focus();
  for (let press = 0; press < 3; press += 1) await page.keyboard.press("ArrowRight");
  const before = (await page.getByRole("region", { name: "Watchlist" }).boundingBox())?.width ?? 0;
  await page.reload();
  await page.getByTestId("chart").waitFor();
  const afterwards = (await page.getByRole("region", { name: "Watchlist" }).boundingBox())?.width;
  assert.ok(before > 300, `${before} px`);
  assert.equal(afterwards, before);
});

step("indicators are drawn, and weeks are put together from days", async () => {
  await page.getByText("Indicators", { exact: true }).click();
  for (const name of [/Moving averages/, /Bollinger/, /RSI/, /MACD/]) await page.getByLabel(name).check();
  await page.getByText("Indicators", { exact: true }).click();
  await page.getByLabel("A bar spans").selectOption("1w");
  await page.getByTestId("chart").waitFor();
  await picture(page, "27-indicators");
});

step("the name and the password are changed, and this page stays signed in", async () => {
  await page.getByRole("button", { name: "Menu" }).click();
  await page.getByRole("link", { name: "Settings and security" }).click();
  await page.getByLabel("Name (optional)").fill("Ant");
  await page.getByRole("button", { name: "Save the name" }).click();
  await toast().getByText("The name was saved.").waitFor();
  await page.getByLabel("Present password").fill(trader.password);
  await page.getByLabel("New password").fill("amber ladder tuesday");
  await page.getByRole("button", { name: "Change the password" }).click();
  await toast().getByText("The password was changed").waitFor();
  await page.reload();
  assert.equal(await page.getByLabel("Name (optional)").inputValue(), "Ant");
});

for (const [room, heading] of /** @type {const} */ ([
  ["Desk", "Watchlist"],
  ["Orders", "Orders"],
  ["Portfolio", "Worth in USD"],
  ["Accounts", "Accounts"],
])) {
  step(`no serious fault of accessibility in the room ${room}, light and dark`, async () => {
    await enter(room);
    await page.getByRole("heading", { name: heading }).first().waitFor();
    for (const colorScheme of /** @type {const} */ (["dark", "light"])) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      assert.deepEqual(await seriousFaults(page), [], colorScheme);
    }
  });
}

step("no serious fault of accessibility in the settings, light and dark", async () => {
  await page.goto(`${serverUrl()}/settings`);
  await page.getByRole("heading", { name: "Name and password" }).waitFor();
  for (const colorScheme of /** @type {const} */ (["dark", "light"])) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    assert.deepEqual(await seriousFaults(page), [], colorScheme);
  }
});

step("every room fits on a phone", async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  for (const path of ["/", "/orders", "/portfolio", "/accounts", "/settings"]) {
    await page.goto(`${serverUrl()}${path}`);
    await page.getByRole("navigation", { name: "Rooms (phone)" }).waitFor();
    await page.getByTestId("price-state").waitFor();
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(overflow <= 0, `${path} is ${overflow} px wider than the phone`);
    await picture(page, `28-phone${path.replace("/", "-")}`);
  }
});

step("and nothing went wrong behind the scenes", async () => {
  // The order that was refused while trading stood still.
  const unexpected = watched.errors.filter((error) => !/\b403\b.*\/api\/orders$/.test(error));
  assert.deepEqual(unexpected, []);
  assert.deepEqual(watched.foreign, []);
});
