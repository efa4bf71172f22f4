// Debian's Chromium and what the tests watch while they use it.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const EXECUTABLE = process.env.GAEMI_CHROMIUM ?? "/usr/bin/chromium";
/** Longest wait for anything that the page should show. */
export const WAIT_MS_MAX = 20_000;

const RESULTS = fileURLToPath(new URL("../test-results/", import.meta.url));

/** The server under test. */
export function serverUrl() {
  const url = process.env.GAEMI_URL;
  if (!url) throw new Error("GAEMI_URL must name a running server, such as http://127.0.0.1:8000");
  return url.replace(/\/$/, "");
}

/**
 * Opens a browser with an empty profile.
 * @param {import("playwright-core").BrowserContextOptions} options
 */
export async function openBrowser(options = {}) {
  const profile = mkdtempSync(join(tmpdir(), "gaemi-browser-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: EXECUTABLE,
    headless: true,
    locale: "en-US",
    viewport: { width: 1440, height: 900 },
    ...options,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(WAIT_MS_MAX);
  const close = async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  return { page, close, watched: watch(page) };
}

/**
 * Notes what must not happen: errors on the console, requests to other hosts; and every request, for counting.
 * @param {import("playwright-core").Page} page
 */
function watch(page) {
  /** @type {{ errors: string[], foreign: string[], requests: string[] }} */
  const watched = { errors: [], foreign: [], requests: [] };
  page.on("console", (message) => {
    if (message.type() === "error") watched.errors.push(`${message.text()} ${message.location().url}`);
  });
  page.on("pageerror", (error) => watched.errors.push(String(error)));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith("http") && url.host !== new URL(serverUrl()).host)
      watched.foreign.push(url.href);
    watched.requests.push(`${request.method()} ${url.pathname}`);
  });
  return watched;
}

/**
 * Signs in on a page in English.
 * @param {import("playwright-core").Page} page
 * @param {{ email: string, password: string }} trader
 */
export async function signIn(page, { email, password }) {
  await page.goto(serverUrl());
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

/**
 * Keeps a picture of the page in test-results/.
 * @param {import("playwright-core").Page} page
 * @param {string} name
 */
export async function picture(page, name, fullPage = false) {
  mkdirSync(RESULTS, { recursive: true });
  await page.screenshot({ path: join(RESULTS, `${name}.png`), fullPage });
}

/**
 * Waits until a text satisfies a condition, and returns it.
 * @param {import("playwright-core").Locator} locator
 * @param {(text: string) => boolean} condition
 * @param {string} what
 */
export async function waitForText(locator, condition, what) {
  const deadline = Date.now() + WAIT_MS_MAX;
  let text = "";
  while (Date.now() < deadline) {
    text = (await locator.textContent()) ?? "";
    if (condition(text)) return text;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${what}: still "${text}" after ${WAIT_MS_MAX} ms`);
}

/**
 * A figure of the page as whole hundredths: "$1,234.50" is 123450.
 * @param {string} text
 */
export function hundredths(text) {
  const match = /([\u2212-]?)[^\d\u2212-]*([\d,]+)\.(\d\d)/.exec(text);
  if (match === null) throw new Error(`no amount in "${text}"`);
  const amount = Number(`${match[2]?.replaceAll(",", "")}${match[3]}`);
  return match[1] ? -amount : amount;
}
