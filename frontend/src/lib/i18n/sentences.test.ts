import i18next from "i18next";
import { beforeAll, expect, test } from "vitest";
import { ProblemError } from "@/lib/api/problem";
import { en } from "./en";
import { ko } from "./ko";
import { fieldRefusal, problemSentence } from "./sentences";

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
