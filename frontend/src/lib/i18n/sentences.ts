import i18next from "i18next";
import { ProblemError } from "@/lib/api/problem";
import type { Currency, FieldProblem, Order } from "@/lib/api/types";
import { Decimal } from "@/lib/decimal";
import { formatPrice, formatQuantity } from "@/lib/format";

/** The text under a key made from the server's words, where there is one in the page's languages. */
export function known(key: string, values: Record<string, string> = {}): string | null {
  // A code from outside must not wander through the tree of texts.
  const [, ...words] = key.split(".");
  if (!words.every((word) => /^\w+$/.test(word)) || !i18next.exists(key)) return null;
  const translate = i18next.t as (key: string, values: Record<string, string>) => string;
  return translate(key, values);
}

/** An amount inside a sentence, as people write it there: `$1,234.50`, `₩1,200`, `1,200원`. */
export function amountInWords(amount: string, currency: Currency): string {
  if (currency === "USD") return `$${formatPrice(amount, currency)}`;
  const won = formatPrice(amount, currency);
  return i18next.language === "ko" ? `${won}원` : `₩${won}`;
}

/** In which currency a rule's numbers are; null where they are no money. */
function currencyOfRule({ rule, message }: FieldProblem, numbers: readonly string[]): Currency | null {
  const named = /\b(KRW|USD)\b/.exec(message)?.[1];
  if (named !== undefined) return named as Currency;
  // Korea's price steps are whole won and it alone has daily limits; those of the United States are parts of a dollar.
  if (rule === "price_limit") return "KRW";
  if (rule === "tick_size") return new Decimal(numbers[0] ?? "1").lessThan(1) ? "USD" : "KRW";
  return null;
}

/** The rule's text with the numbers of this case, where both name equally many. */
function knownWithNumbers(problem: FieldProblem): string | null {
  const { rule, message } = problem;
  const key = `ruleWithNumbers.${rule}`;
  const template: unknown = i18next.getResource(i18next.language, "translation", key);
  const wanted = typeof template === "string" ? (template.match(/\{\{\w\}\}/g) ?? []) : [];
  const numbers = message.match(/\d+(?:\.\d+)?/g) ?? [];
  // How many digits a number may have is not how large it may be.
  if (wanted.length === 0 || wanted.length !== numbers.length || /\bdigits\b/.test(message)) return null;
  const currency = currencyOfRule(problem, numbers);
  const words = numbers.map((number, index) => [
    "abcdefgh"[index] ?? "",
    currency === null ? formatQuantity(number) : amountInWords(number, currency),
  ]);
  return known(key, Object.fromEntries(words));
}

/** A refusal of one field, for people; rules this page does not know keep the server's sentence. */
export function fieldSentence(problem: FieldProblem): string {
  return knownWithNumbers(problem) ?? known(`rule.${problem.rule}`) ?? problem.message;
}

function allSentences(problems: readonly FieldProblem[]): string {
  return [...new Set(problems.map(fieldSentence))].join(" ");
}

/** Why an order ended, for people; null where nothing is to be said, and a broker's own words stay as they are. */
export function reasonSentence({ reason, denials }: Pick<Order, "reason" | "denials">): string | null {
  if (denials !== undefined && denials.length > 0) return allSentences(denials);
  return reason == null ? null : (known(`reason.${reason}`) ?? reason);
}

/** What happened to an order, for people; events this page does not know keep the server's word. */
export function eventSentence(event: string): string {
  return known(`orderEvent.${event}`) ?? event;
}

/** What kind of movement a line of the books is; kinds this page does not know keep the server's word. */
export function movementWord(kind: string): string {
  return known(`movement.${kind}`) ?? kind;
}

/** What a broker is called; one this page does not know keeps the server's word. */
export function brokerWord(broker: string): string {
  return known(`accounts.brokers.${broker}`) ?? broker;
}

/** What happened that a person must look at; kinds this page does not know keep the server's word. */
export function incidentWord(kind: string): string {
  return known(`incident.${kind}`) ?? kind;
}

/** Why an account could not begin anew; what this page does not know keeps the server's words. */
export function resetSentence(reason: string): string {
  return reason === OPEN_ORDERS_STAY ? i18next.t("reset.ordersStay") : reason;
}

/** What the server writes where open orders were not taken back in time. */
const OPEN_ORDERS_STAY = "open orders were not taken back in time";

/** What differed in a comparison with a broker; kinds this page does not know keep the server's word. */
export function differenceWord(kind: string): string {
  return known(`difference.${kind}`) ?? kind;
}

/** What a history adds to an event: a rule or a reason where it is the word for one, else as it was written. */
export function detailSentence(detail: string): string {
  return known(`rule.${detail}`) ?? known(`reason.${detail}`) ?? detail;
}

/** Codes under which a broker has a reason of its own: it stands beside the sentence, in the broker's words. */
const CODES_WITH_REASON: readonly string[] = [
  "broker_disagrees",
  "broker_account_inactive",
  "broker_refuses",
];

/** What went wrong, for people; codes this page does not know keep the server's sentence. */
export function problemSentence(failure: unknown): string {
  if (!(failure instanceof ProblemError)) return failure instanceof Error ? failure.message : String(failure);
  if (failure.fields.length > 0) return allSentences(failure.fields);
  const sentence = known(`problem.${failure.code}`);
  if (sentence === null) return failure.detail;
  return CODES_WITH_REASON.includes(failure.code) ? `${sentence} (${failure.detail})` : sentence;
}

/** The refusal of a field, if it was refused. */
export function fieldRefusal(failure: unknown, field: string): string | undefined {
  if (!(failure instanceof ProblemError)) return undefined;
  const refused = failure.fields.find((problem) => problem.field === field);
  return refused && fieldSentence(refused);
}

/** What is left to say of a failure beside the fields of the form, each of which says its own; null for nothing. */
export function restSentence(failure: unknown, shown: readonly string[]): string | null {
  if (failure === null || failure === undefined) return null;
  if (!(failure instanceof ProblemError) || failure.fields.length === 0) return problemSentence(failure);
  const rest = failure.fields.filter(({ field }) => !shown.includes(field));
  return rest.length === 0 ? null : allSentences(rest);
}
