/** Incidents, comparisons with brokers and histories of orders, said in the page's language by the facts that the server tells of them. */
import i18next from "i18next";
import type { Currency, Incident, Reconciliation } from "@/lib/api/types";
import { formatDay, formatQuantity, formatTime } from "@/lib/format";
import { amountInWords, brokerWord, detailSentence, differenceWord, eventSentence, known } from "./sentences";

type Facts = Incident["facts"];
type Difference = Reconciliation["differences"][number];

const NUMBER = /^-?\d+(\.\d+)?$/;
const STATUS = /^[A-Z_]+$/;
/** Terms of an order as the server writes them: `quantity 10, limit 5.25`, and what they were asked for by. */
const TERMS =
  /^quantity (?<quantity>[\d.]+)(?<prices>(?:, (?:limit|stop|trail) [\d.]+(?: %)?)*)(?<asked> asked for by \S+)?$/;
/** An order in words: `NEW to buy 3 AAPL`. */
const ORDER = /^(?<status>[A-Z_]+) to (?<side>buy|sell) (?<quantity>[\d.]+) (?<symbol>\S+)$/;

const part = (name: string, values: Record<string, string> = {}) =>
  known(`incidentPart.${name}`, values) ?? name;

/** An order's state, as it stands in a sentence. */
function statusWord(status: string): string {
  return known(`orderStatus.${status.toLowerCase()}`) ?? status;
}

function termsInWords(groups: Record<string, string | undefined>): string {
  const prices = (groups.prices ?? "").split(", ").filter((text) => text !== "");
  const words = prices.map((text) => {
    const [name = "", ...price] = text.split(" ");
    return part(name, { price: price.join(" ") });
  });
  const terms = [part("quantity", { quantity: formatQuantity(groups.quantity ?? "0") }), ...words].join(", ");
  return groups.asked === undefined ? terms : part("asked", { terms });
}

/** What one side of a difference says: a number, a state, an order's terms, or that there is nothing. */
function sideOfDifference(text: string): string {
  if (NUMBER.test(text)) return formatQuantity(text);
  if (text === "absent" || text === "unknown") return part(text);
  if (STATUS.test(text)) return statusWord(text);
  const terms = TERMS.exec(text)?.groups;
  if (terms !== undefined) return termsInWords(terms);
  const order = ORDER.exec(text)?.groups;
  if (order === undefined) return text;
  const { status = "", side = "", quantity = "", symbol = "" } = order;
  return `${part(side)} ${formatQuantity(quantity)} ${symbol} (${statusWord(status)})`;
}

/** Something that a broker did beside orders, with what it says of it. */
function activityInWords({ word = "", symbol, day, amount, currency, shares, undone }: Facts): string {
  const what = symbol === undefined ? word : `${word} ${symbol}`;
  const money = `${formatQuantity(amount ?? "0")} ${currency ?? ""}`;
  const moved = shares === undefined ? "" : `, ${part("shares", { shares: formatQuantity(shares) })}`;
  const activity = `${what}, ${dayInWords(day)}: ${money}${moved}`;
  return undone === undefined ? activity : part("undone", { activity });
}

const dayInWords = (day: string | undefined) => (day === undefined ? "" : formatDay(day, i18next.language));
const momentInWords = (at: string) => formatTime(at, i18next.language, true);

/** Facts that are numbers and no names. */
const COUNTED: ReadonlySet<string> = new Set([
  "amount",
  "filled",
  "ordered",
  "price",
  "quantity",
  "shares",
  "tries",
]);

/** How a fact is said; one that is not named here stands as it is. */
const SAID: Readonly<Record<string, (value: string, facts: Facts) => string>> = {
  broker: brokerWord,
  day: dayInWords,
  difference: differenceWord,
  due: momentInWords,
  equity: (amount, { currency }) => money(amount, currency),
  event: eventSentence,
  needed: (amount, { currency }) => money(amount, currency),
  leg: (leg) => known(`orders.leg.${leg === "then" ? "thenOrder" : leg}`) ?? leg,
  opens: momentInWords,
  ours: sideOfDifference,
  rules: (rules) =>
    rules
      .split(",")
      .map((rule) => known(`rule.${rule}`) ?? rule)
      .join(" "),
  side: (side) => part(side),
  since: momentInWords,
  status: statusWord,
  theirs: sideOfDifference,
};

function money(amount: string, currency: string | undefined): string {
  return currency === "USD" || currency === "KRW" ? amountInWords(amount, currency as Currency) : amount;
}

/** The values of a sentence, from the facts it is about. */
function valuesOf(facts: Facts): Record<string, string> {
  const said = Object.entries(facts).map(([name, value]) => {
    const say = SAID[name];
    if (say !== undefined) return [name, say(value, facts)];
    return [name, COUNTED.has(name) && NUMBER.test(value) ? formatQuantity(value) : value];
  });
  const closes = (["sold", "bought"] as const).flatMap((name) =>
    facts[name] === undefined ? [] : [part(name, { list: facts[name] })],
  );
  return {
    ...Object.fromEntries(said),
    ...(closes.length > 0 && { closes: closes.join("; ") }),
    ...(facts.word !== undefined && { activity: activityInWords(facts) }),
  };
}

/** The sentence under a key with these values; null where there is none, or where it needs what is not told. */
function saidWith(key: string, values: Record<string, string>): string | null {
  const template: unknown = i18next.getResource(i18next.language, "translation", key);
  if (typeof template !== "string") return null;
  const wanted = [...template.matchAll(/\{\{(\w+)\}\}/g)].map(([, name = ""]) => name);
  return wanted.every((name) => name in values) ? known(key, values) : null;
}

/** What an incident says in detail; those of before, and what this page does not know, keep the server's words. */
export function incidentSentence({
  kind,
  detail,
  facts,
}: Pick<Incident, "kind" | "detail" | "facts">): string {
  const variants = [facts.case, facts.due === undefined ? undefined : "due"];
  const keys = [
    ...variants.filter((variant) => variant !== undefined).map((variant) => `${kind}_${variant}`),
    kind,
  ];
  const values = valuesOf(facts);
  for (const key of keys) {
    const sentence = saidWith(`incidentDetail.${key}`, values);
    if (sentence !== null) return sentence;
  }
  return detail;
}

/** An execution in a history: `10 at 5.25`. */
const EXECUTION = /^(?<quantity>[\d.]+) at (?<price>[\d.]+)$/;
/** What has woken an order that waited for a price. */
const LAST_PRICE = /^the last price was (?<price>[\d.]+)$/;

/** What a history adds to an event: terms, an execution or a price, else the word for a rule or a reason, or as it was written. */
export function historyDetail(detail: string): string {
  const terms = TERMS.exec(detail)?.groups;
  if (terms !== undefined) return termsInWords(terms);
  const { quantity, price = "" } = EXECUTION.exec(detail)?.groups ?? {};
  if (quantity !== undefined) return part("execution", { quantity: formatQuantity(quantity), price });
  const last = LAST_PRICE.exec(detail)?.groups?.price;
  return last === undefined ? detailSentence(detail) : part("lastPrice", { price: last });
}

/** What differs, and what either side says. */
export function differenceSides({ ours, theirs }: Pick<Difference, "ours" | "theirs">): [string, string] {
  return [sideOfDifference(ours), sideOfDifference(theirs)];
}

/** Why a comparison failed; a contradiction with what the broker said of it. Those of before keep the server's words. */
export function comparisonFailure({
  failure,
  detail,
}: Pick<Reconciliation, "failure" | "detail">): string | null {
  const sentence = failure == null ? null : known(`comparisonFailure.${failure}`);
  if (sentence === null) return detail ?? null;
  return failure === "conflict" && detail != null ? `${sentence} (${detail})` : sentence;
}
