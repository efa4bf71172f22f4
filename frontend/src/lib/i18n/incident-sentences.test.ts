import i18next from "i18next";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { en } from "./en";
import { comparisonFailure, differenceSides, historyDetail, incidentSentence } from "./incident-sentences";
import { ko } from "./ko";

beforeAll(() =>
  i18next.init({
    lng: "en",
    resources: { en: { translation: en }, ko: { translation: ko } },
    fallbackLng: "en",
    interpolation: { escapeValue: false },
  }),
);
beforeEach(async () => {
  await i18next.changeLanguage("en");
});

const said = (kind: string, facts: Record<string, string>) =>
  incidentSentence({ kind, facts, detail: "in the server's words" });

test("an incident is said by its facts, in either language", async () => {
  const facts = { filled: "12000", ordered: "10000" };
  expect(said("overfill", facts)).toBe("12,000 shares were executed of an order for 10,000.");
  await i18next.changeLanguage("ko");
  expect(said("overfill", facts)).toBe("10,000주 주문이 12,000주 체결되었습니다.");
});

test("a kind with several sentences is said by its case", () => {
  const facts = { amount: "-3", commodity: "AAPL", ours: "5", theirs: "2" };
  expect(said("broker_difference", { ...facts, case: "booked" })).toBe(
    "−3 AAPL: here 5, at the broker 2. The difference was booked.",
  );
  expect(said("broker_difference", { ...facts, case: "too_large" })).toMatch(/too much/);
});

test("words, moments and money inside a sentence are said in its language as well", async () => {
  await i18next.changeLanguage("ko");
  expect(said("late_fill", { execution: "4711", status: "CANCELED" })).toBe("체결 4711, 주문 상태: 취소됨.");
  expect(said("leg_refused", { leg: "stop_loss", rules: "session,in_use" })).not.toMatch(/stop_loss|session/);
  await i18next.changeLanguage("en");
  const call = { equity: "1500.5", needed: "2000", currency: "USD" };
  expect(said("margin_call", call)).toMatch(/^Your own money is \$1,500\.50; \$2,000\.00 must stay\./);
  expect(said("margin_call", { ...call, due: "2026-11-24T15:00:00+00:00" })).toMatch(
    /from 11\/2\d\/2026.* on they/,
  );
  expect(
    said("margin_reduction", { since: "2026-11-24T15:00:00Z", sold: "10 AAPL", bought: "5 MSFT" }),
  ).toMatch(/At the market: sold 10 AAPL; bought back 5 MSFT\.$/);
});

test("what a broker did beside orders is said with what it says of it", () => {
  const facts = { word: "JNLC", day: "2026-11-20", amount: "1250.5", currency: "USD" };
  expect(said("unknown_activity", facts)).toBe(
    "The broker lists JNLC, Nov 20, 2026: 1,250.5 USD. Its cash is booked as a difference.",
  );
  expect(said("shares_activity", { ...facts, symbol: "AAPL", shares: "7", undone: "true" })).toMatch(
    /^The broker lists JNLC AAPL, Nov 20, 2026: 1,250\.5 USD, 7 shares, taken back\./,
  );
});

test("incidents of before, and those this page does not know, keep the server's words", () => {
  expect(said("overfill", {})).toBe("in the server's words");
  expect(said("brand_new", { filled: "1" })).toBe("in the server's words");
  expect(said("../app", {})).toBe("in the server's words");
});

test("numbers of orders and executions stay as they are", () => {
  const facts = { case: "limit", side: "buy", quantity: "1000", symbol: "AAPL", number: "1234567" };
  expect(said("external_order", facts)).toBe(
    "Not made here: buy 1,000 AAPL with a limit, number 1234567 at the broker.",
  );
});

test("either side of a difference is said in the page's language", async () => {
  await i18next.changeLanguage("ko");
  expect(differenceSides({ ours: "PARTIALLY_FILLED", theirs: "absent" })).toEqual(["일부 체결", "없음"]);
  expect(differenceSides({ ours: "12000.5", theirs: "-3" })).toEqual(["12,000.5", "−3"]);
  expect(
    differenceSides({
      ours: "quantity 1000, limit 5.25, stop 5 asked for by 01890a5d-ac96-774b-bcce-b302099a8057",
      theirs: "quantity 10, trail 3 %",
    }),
  ).toEqual(["1,000주, 지정가 5.25, 스톱 5 (요청)", "10주, 트레일링 3 %"]);
  expect(differenceSides({ ours: "absent", theirs: "NEW to buy 3 AAPL" })).toEqual([
    "없음",
    "매수 3 AAPL (접수됨)",
  ]);
  expect(differenceSides({ ours: "something new", theirs: "x" })).toEqual(["something new", "x"]);
});

test("what a history adds to an event is said in the page's language", async () => {
  await i18next.changeLanguage("ko");
  expect(historyDetail("1000 at 5.25")).toBe("5.25에 1,000주");
  expect(historyDetail("the last price was 60.1")).toBe("마지막 가격 60.1");
  expect(historyDetail("quantity 10, limit 5.25")).toBe("10주, 지정가 5.25");
  expect(historyDetail("insufficient_shares")).toBe(ko.rule.insufficient_shares);
  expect(historyDetail("the broker's own words")).toBe("the broker's own words");
});

test("why a comparison failed is a sentence; what a broker says against it stands beside", async () => {
  await i18next.changeLanguage("ko");
  const detail = "not reachable: connection refused";
  expect(comparisonFailure({ failure: "unreachable", detail })).toBe(ko.comparisonFailure.unreachable);
  expect(comparisonFailure({ failure: "conflict", detail: "no such account" })).toBe(
    `${ko.comparisonFailure.conflict} (no such account)`,
  );
  expect(comparisonFailure({ failure: null, detail })).toBe(detail);
  expect(comparisonFailure({ failure: null, detail: null })).toBeNull();
});
