import i18next from "i18next";
import { ProblemError } from "@/lib/api/problem";
import type { FieldProblem } from "@/lib/api/types";
import { formatQuantity } from "@/lib/format";

/** The text under a key made from the server's words, where there is one in the page's languages. */
function known(key: string, values: Record<string, string> = {}): string | null {
  // A code from outside must not wander through the tree of texts.
  const [, word = ""] = key.split(".");
  if (!/^[a-z0-9_]+$/.test(word) || !i18next.exists(key)) return null;
  const translate = i18next.t as (key: string, values: Record<string, string>) => string;
  return translate(key, values);
}

/** The numbers the server names, by the letters under which the texts show them. */
function numbersIn(message: string): Record<string, string> {
  const numbers = message.match(/\d+(?:\.\d+)?/g) ?? [];
  return Object.fromEntries(
    numbers.map((number, index) => ["abcdefgh"[index] ?? "", formatQuantity(number)]),
  );
}

/** The rule's text with the numbers of this case, where both name equally many. */
function knownWithNumbers({ rule, message }: FieldProblem): string | null {
  const numbers = numbersIn(message);
  const key = `ruleWithNumbers.${rule}`;
  const template: unknown = i18next.getResource("en", "translation", key);
  const wanted = typeof template === "string" ? (template.match(/\{\{\w\}\}/g) ?? []) : [];
  return wanted.length > 0 && wanted.length === Object.keys(numbers).length ? known(key, numbers) : null;
}

/** A refusal of one field, for people; rules this page does not know keep the server's sentence. */
export function fieldSentence(problem: FieldProblem): string {
  return knownWithNumbers(problem) ?? known(`rule.${problem.rule}`) ?? problem.message;
}

/** Why an order ended, for people; a broker's own words stay as they are. */
export function reasonSentence(reason: string): string {
  return known(`reason.${reason}`) ?? reason;
}

/** What went wrong, for people; codes this page does not know keep the server's sentence. */
export function problemSentence(failure: unknown): string {
  if (!(failure instanceof ProblemError)) return failure instanceof Error ? failure.message : String(failure);
  if (failure.fields.length > 0) return [...new Set(failure.fields.map(fieldSentence))].join(" ");
  return known(`problem.${failure.code}`) ?? failure.detail;
}

/** The refusal of a field, if it was refused. */
export function fieldRefusal(failure: unknown, field: string): string | undefined {
  if (!(failure instanceof ProblemError)) return undefined;
  const refused = failure.fields.find((problem) => problem.field === field);
  return refused && fieldSentence(refused);
}
