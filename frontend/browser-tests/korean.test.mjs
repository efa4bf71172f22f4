// A Korean newcomer's way on a phone, and two-factor login, against a running server on recorded and invented prices.
import assert from "node:assert/strict";
import { createHmac, randomUUID } from "node:crypto";
import { picture, serverUrl } from "./browser.mjs";
import { beginWay } from "./way.mjs";

const EMAIL = `korean-${randomUUID()}@example.com`;
const PASSWORD = "개미는 제 몸무게의 쉰 배를 든다";
const PHONE = { width: 390, height: 844 };
/** Sizes of a code (RFC 6238). */
const CODE_SECONDS = 30;
const CODE_DIGITS = 6;

const { page, watched, step } = await beginWay("korean", {
  locale: "ko-KR",
  viewport: PHONE,
  hasTouch: true,
  isMobile: true,
});
let secret = "";
/** @type {string[]} */
let recoveryCodes = [];

/**
 * What an authenticator app shows for a key.
 * @param {string} key
 * @param {number} stepsAhead
 */
function codeOf(key, stepsAhead = 0) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...key].map((letter) => letters.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const bytes = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 1000 / CODE_SECONDS) + stepsAhead));
  const hash = createHmac("sha1", bytes).update(counter).digest();
  const offset = (hash.at(-1) ?? 0) & 15;
  const number = (hash.readUInt32BE(offset) & 0x7fffffff) % 10 ** CODE_DIGITS;
  return String(number).padStart(CODE_DIGITS, "0");
}

/** The settings, where logging in is secured. */
async function openSecurity() {
  await page.getByRole("button", { name: "메뉴" }).click();
  await page.getByRole("link", { name: "설정 및 보안" }).click();
}

/** Whether something stands in the part of the page that a phone shows without scrolling. */
async function isInView(/** @type {import("playwright-core").Locator} */ locator) {
  const box = await locator.boundingBox();
  return box !== null && box.y >= 0 && box.y + box.height <= PHONE.height;
}

step("what is wrong with a registration is said once, in Korean", async () => {
  await page.goto(serverUrl());
  await page.getByRole("button", { name: "처음이신가요? 회원가입" }).click();
  await page.getByLabel("이메일").fill("ant@nowhere");
  await page.getByLabel("비밀번호").fill("20261121");
  await page.getByRole("button", { name: "회원가입", exact: true }).click();
  await page.getByText("ant@example.com 같은 이메일 주소를 입력하세요.").waitFor();
  assert.equal(await page.getByText("ant@example.com 같은").count(), 1);
  assert.equal(await page.getByText(/must |expected|invalid/i).count(), 0, "English on the page");
  await page.getByLabel("이메일").fill(EMAIL);
  await page.getByRole("button", { name: "회원가입", exact: true }).click();
  await page.getByText("날짜로 만든 비밀번호는 쉽게 짐작할 수 있습니다.").waitFor();
  await page.getByLabel("비밀번호").fill(PASSWORD);
  await page.getByRole("button", { name: "회원가입", exact: true }).click();
  await page.getByRole("heading", { name: "첫 주문까지 세 단계" }).waitFor();
});

step("the first steps are the first thing on the phone", async () => {
  assert.ok(await isInView(page.getByRole("button", { name: "계좌 개설" }).last()));
  await picture(page, "10-korean-first-steps");
  await page.locator("form").getByRole("button", { name: "계좌 개설" }).click();
  const amount = page.getByLabel("금액 (KRW)");
  await amount.waitFor();
  assert.ok(await isInView(amount));
  await amount.fill("10,000,000");
  await page.locator("form").getByRole("button", { name: "입금" }).click();
  await page.getByTestId("cash").waitFor();
  await page.waitForFunction((height) => {
    const ticket = document.getElementById("ticket")?.getBoundingClientRect();
    return ticket !== undefined && ticket.top >= 0 && ticket.top < height;
  }, PHONE.height);
});

step("the symbol shown is one that the account can trade, and its invented price says so", async () => {
  await page.getByRole("heading", { name: /주문 · \d{6}\.K[SQ]/ }).waitFor();
  assert.equal(await page.getByText("계좌입니다.").count(), 0, "a dead end");
  const list = page.getByRole("region", { name: "관심 종목" });
  const rows = await list.getByRole("listitem").allInnerTexts();
  assert.ok(rows.length > 0);
  for (const row of rows) assert.equal(/\.K[SQ]/.test(row), row.includes("가상"), row);
});

step("a notice does not stand in the way of the form", async () => {
  await page.getByLabel("수량", { exact: true }).fill("1");
  await page.getByTestId("estimate-total").getByText("총 매수 금액").waitFor();
  const submit = page.getByRole("button", { name: /1주 매수$/ });
  await submit.click();
  await page.getByRole("button", { name: "주문 보내기" }).click();
  await page
    .getByRole("status")
    .getByText(/체결: .* 1주 매수/)
    .waitFor();
  await picture(page, "11-korean-fill");
  const visible = page.getByRole("status").locator("> div:visible");
  for (const notice of await visible.all()) {
    const [box, form] = [await notice.boundingBox(), await page.locator("#ticket").boundingBox()];
    const overlaps =
      box !== null && form !== null && box.y < form.y + form.height && box.y + box.height > form.y;
    const through = await notice.evaluate((element) => getComputedStyle(element).pointerEvents === "none");
    assert.ok(!overlaps || through, "a notice lies over the form and takes its touches");
  }
  assert.ok((await visible.count()) <= 1, "notices are piled up");
});

step("a refused order and a number far too large are explained in Korean", async () => {
  const quantity = page.getByLabel("수량", { exact: true });
  await quantity.fill("9".repeat(24));
  await page.locator("#ticket").getByRole("button", { name: "매수", exact: true }).click();
  await page.getByText("숫자가 너무 큽니다. 최대 15자리까지 입력할 수 있습니다.").waitFor();
  await quantity.fill("99999");
  await page.getByRole("button", { name: /99,999주 매수$/ }).click();
  await page
    .getByRole("dialog")
    .getByText(/최대 [\d,]+원 필요/)
    .waitFor();
  await page.getByRole("button", { name: "주문 보내기" }).click();
  await page
    .locator("#ticket")
    .getByText(/최대 [\d,]+원 필요, 주문 가능 금액 [\d,]+원\./)
    .first()
    .waitFor();
  await page.getByRole("tab", { name: "주문 내역" }).click();
  assert.equal(await page.getByRole("status").getByText("거부됨").count(), 0, "told twice");
  const refused = page.getByRole("table", { name: "주문 내역" }).getByRole("row", { name: /거부됨/ });
  await refused.first().waitFor();
  assert.doesNotMatch((await refused.first().textContent()) ?? "", /needed|are free/);
  await picture(page, "12-korean-refused", true);
});

step("two-factor login is switched on with a code of the app", async () => {
  await openSecurity();
  const dialog = page.getByRole("region", { name: "2단계 인증" });
  await dialog.getByRole("button", { name: "켜기" }).click();
  secret = ((await dialog.getByTestId("totp-secret").textContent()) ?? "").replaceAll(" ", "");
  assert.match(secret, /^[A-Z2-7]{16,}$/);
  await picture(page, "13-korean-two-factor");
  await dialog.getByLabel("인증 앱의 코드").fill("12345");
  await dialog.getByRole("button", { name: "확인하고 켜기" }).click();
  await dialog.getByText("코드는 여섯 자리 숫자입니다.").waitFor();
  // The code of the last step: the one of now is left for signing in, because a code works once.
  await dialog.getByLabel("인증 앱의 코드").fill(codeOf(secret, -1));
  await dialog.getByRole("button", { name: "확인하고 켜기" }).click();
  await page.getByRole("heading", { name: "로그인" }).waitFor();
});

step("ten recovery codes are shown once, until they are kept", async () => {
  recoveryCodes = await page.getByTestId("recovery-codes").getByRole("listitem").allInnerTexts();
  assert.equal(recoveryCodes.length, 10);
  assert.equal(new Set(recoveryCodes).size, 10);
  await picture(page, "14-korean-recovery-codes");
  await page.getByRole("button", { name: "보관했습니다" }).click();
  await page.getByTestId("recovery-codes").waitFor({ state: "detached" });
});

step("and signing in takes a code from then on", async () => {
  await page.getByLabel("이메일").fill(EMAIL);
  await page.getByLabel("비밀번호").fill(PASSWORD);
  await page.getByRole("button", { name: "로그인", exact: true }).click();
  await page.getByLabel("인증 앱의 코드").fill(codeOf(secret));
  await page.getByRole("button", { name: "로그인", exact: true }).click();
  // The address is still that of the settings.
  await page.getByRole("region", { name: "2단계 인증" }).getByRole("button", { name: "끄기" }).waitFor();
});

step("a recovery code signs in once where the phone is lost", async () => {
  const [code = ""] = recoveryCodes;
  for (const works of [true, false]) {
    await page.getByRole("button", { name: "메뉴" }).click();
    await page.getByRole("button", { name: "로그아웃" }).click();
    await page.getByLabel("이메일").fill(EMAIL);
    await page.getByLabel("비밀번호").fill(PASSWORD);
    await page.getByRole("button", { name: "로그인", exact: true }).click();
    await page.getByLabel("인증 앱의 코드").fill(code);
    await page.getByRole("button", { name: "로그인", exact: true }).click();
    if (works) await page.getByText("남은 코드: 9개", { exact: true }).waitFor();
    else await page.getByText("복구 코드가 틀렸거나 이미 사용되었습니다.").waitFor();
  }
});

step("nothing went wrong behind the scenes", async () => {
  const unexpected = watched.errors.filter((error) => !/status of (401|422)/.test(error));
  assert.deepEqual(unexpected, []);
  assert.deepEqual(watched.foreign, []);
});
