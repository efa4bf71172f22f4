import i18next from "i18next";
import { ProblemError } from "@/lib/api/problem";
import type { FieldProblem } from "@/lib/api/types";

/** The text under a key made from the server's words, where there is one in the page's languages. */
function known(key: string): string | null {
  // A code from outside must not wander through the tree of texts.
  const [, word = ""] = key.split(".");
  if (!/^[a-z0-9_]+$/.test(word) || !i18next.exists(key)) return null;
  return String(i18next.t(key as "app.name"));
}

/** A refusal of one field, for people; rules this page does not know keep the server's sentence. */
export function fieldSentence(problem: FieldProblem): string {
  return known(`rule.${problem.rule}`) ?? problem.message;
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
