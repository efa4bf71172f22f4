import { readFileSync } from "node:fs";
import i18next from "i18next";
import { beforeAll, expect, test } from "vitest";
import { ProblemError } from "@/lib/api/problem";
import { en } from "./en";
import { ko } from "./ko";
import { fieldRefusal, fieldSentence, problemSentence, reasonSentence, restSentence } from "./sentences";

beforeAll(() =>
  i18next.init({
    lng: "ko",
    resources: { en: { translation: en }, ko: { translation: ko } },
    fallbackLng: "en",
  }),
);

test("a known code is said in the page's language", () => {
  expect(problemSentence(new ProblemError(409, "email_taken", "This email is taken"))).toBe(
    ko.problem.email_taken,
  );
});

test("an unknown code keeps the server's words", () => {
  expect(problemSentence(new ProblemError(409, "brand_new", "Something new"))).toBe("Something new");
  expect(problemSentence(new ProblemError(409, "../app.name", "Odd"))).toBe("Odd");
});

test("every refused field is said, and each finds its own", () => {
  const failure = new ProblemError(422, "order_denied", "refused", [
    { field: "quantity", rule: "insufficient_buying_power", message: "…" },
    { field: "limitPrice", rule: "unheard_of", message: "the server's words" },
  ]);
  expect(problemSentence(failure)).toBe(`${ko.rule.insufficient_buying_power} the server's words`);
  expect(fieldRefusal(failure, "limitPrice")).toBe("the server's words");
  expect(fieldRefusal(failure, "symbol")).toBeUndefined();
});

test("the numbers the server names are kept", () => {
  const refusal = (rule: string, message: string) => fieldSentence({ field: "limitPrice", rule, message });
  expect(refusal("tick_size", "must be a multiple of the tick size 100; nearest: 70000 or 70100")).toBe(
    "호가 단위는 100원입니다. 가까운 가격: 70,000원, 70,100원.",
  );
  expect(refusal("tick_size", "must be a multiple of the tick size 1; nearest: 1")).toBe(ko.rule.tick_size);
  expect(refusal("insufficient_buying_power", "5276.33 USD are needed, 100 are free")).toContain("$5,276.33");
  expect(refusal("too_large", "must be at most 1000000000")).toBe("최대 1,000,000,000까지 가능합니다.");
  expect(refusal("too_large", "must have at most 15 digits before the decimal point")).toBe(
    ko.rule.too_large,
  );
  expect(refusal("too_long", "must have at most 64 characters")).toContain("64자");
});

test("why an order was denied is said in the page's language", () => {
  const denied = (...denials: { field: string; rule: string; message: string }[]) =>
    reasonSentence({ reason: "in the server's words", denials });
  const shares = {
    field: "quantity",
    rule: "insufficient_shares",
    message: "10 shares are needed, 4 are free",
  };
  expect(denied(shares)).toBe("10주 필요, 매도 가능 4주.");
  const trail = { field: "trailPercent", rule: "too_precise", message: "…" };
  expect(denied(trail, shares)).toBe(`${ko.rule.too_precise} 10주 필요, 매도 가능 4주.`);
});

test("why a broker ended an order is said in the page's language, or in the broker's", () => {
  expect(reasonSentence({ reason: "price_moved_beyond_protection" })).toBe(
    ko.reason.price_moved_beyond_protection,
  );
  expect(reasonSentence({ reason: "The broker's own words; and more" })).toBe(
    "The broker's own words; and more",
  );
  expect(reasonSentence({ reason: null })).toBeNull();
});

test("what a field says is not said again below the form", () => {
  const failure = new ProblemError(422, "validation_failed", "refused", [
    { field: "email", rule: "not_an_email", message: "…" },
    { field: "language", rule: "unknown_value", message: "…" },
  ]);
  expect(restSentence(failure, ["email", "language"])).toBeNull();
  expect(restSentence(failure, ["email"])).toBe(ko.rule.unknown_value);
  expect(restSentence(new ProblemError(409, "email_taken", "…"), ["email"])).toBe(ko.problem.email_taken);
  expect(restSentence(null, [])).toBeNull();
});

test("every code of the server has a sentence", () => {
  const table = readFileSync(new URL("../../../../backend/src/error.rs", import.meta.url), "utf8");
  const codes = [...table.matchAll(/^ {4}\w+ +\d{3} "(\w+)"/gm)].map(([, code = ""]) => code);
  expect(codes.length).toBeGreaterThan(20);
  expect(codes.filter((code) => !(code in en.problem))).toEqual([]);
});
