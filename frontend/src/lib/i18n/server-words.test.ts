import { expect, test } from "vitest";
import { sourcesOf, wordsOf } from "@/testing/server-source";
import { en } from "./en";

/** What the server may say and the page has no sentence for; the other language has the same sentences as this one. */
const unsaid = (words: Iterable<string>, sentences: object) =>
  [...words].filter((word) => !(word in sentences));

const SERVER = sourcesOf("backend/src");
const TRADING = sourcesOf("backend/src/trading");

test("every kind of incident has a sentence", () => {
  const constants = TRADING.find(({ name }) => name === "incident.rs")?.text ?? "";
  const kinds = [...constants.matchAll(/const \w+: &str = "(\w+)"/g)].map(([, word = ""]) => word);
  const { words, unread } = wordsOf(
    TRADING,
    { "Incident::new": 0 },
    {
      "apply.rs: kind": /else \{ "(\w+)" \}/g,
      "keys.rs: state.name()": /=> "(key_\w+)"/g,
    },
  );
  for (const kind of kinds) words.add(kind);
  for (const expected of [
    "margin_call",
    "oversold",
    "trade_corrected",
    "late_fill",
    "key_expired",
    "leg_refused",
  ])
    expect(words, expected).toContain(expected);
  expect(unread).toEqual([]);
  expect(unsaid(words, en.incident)).toEqual([]);
  const details = Object.keys(en.incidentDetail);
  const unexplained = [...words].filter(
    (kind) => !details.some((key) => key === kind || key.startsWith(`${kind}_`)),
  );
  expect(unexplained).toEqual([]);
});

test("everything that can happen to an order has a sentence", () => {
  const { words, unread } = wordsOf(
    TRADING,
    { "order\\.log": 0 },
    { "apply.rs: incident.kind": /\("(trade_\w+)"/g, "apply.rs: name": /=> "(\w+)",/g },
  );
  const changes = wordsOf(
    TRADING.filter(({ name }) => name === "apply.rs"),
    { change: 2 },
    {},
  );
  for (const word of changes.words) words.add(word);
  for (const expected of ["trade_canceled", "overfilled", "late_fill", "suspended", "cancel_rejected"])
    expect(words, expected).toContain(expected);
  expect([...unread, ...changes.unread]).toEqual([]);
  expect(unsaid(words, en.orderEvent)).toEqual([]);
});

test("every rule by which a field or a line of a file is refused has a sentence", () => {
  const { words, unread } = wordsOf(
    [...SERVER, ...sourcesOf("domain/src")],
    {
      "ApiError::field": 1,
      "FieldError::new": 1,
      "Denial::new": 1,
      "Contradiction::new": 1,
      "Refusal::of_line": 1,
      with_rule: 0,
      complain: 2,
      "complaints\\.add": 1,
    },
    {
      "refusal.rs: rule": /^ {8}"(\w+)"$/gm,
      "error.rs: rule": null,
      "book.rs: rule": /=> "(\w+)",/g,
      "report.rs: refusal.rule": null,
      "routes.rs: rule": /\brefused\(\s*"(\w+)"/g,
      "replace.rs: rule": /\brefuse\(\s*[\w"]+,\s*"(\w+)"/g,
      "truth_routes.rs: rule": /\brefused\("(\w+)"/g,
      "new_password.rs: refusal.rule()": null,
      "service.rs: refusal.rule()": null,
      "display_name.rs: error.rule()": /=> "(\w+)"/g,
      "service.rs: rule": null,
      "rules.rs: wrong.rule": null,
      "replace.rs: wrong.rule": null,
      "routes.rs: wrong.rule": null,
      "groups.rs: rule": null,
      "fit.rs: rule": null,
      "groups.rs: wrong.rule": null,
    },
  );
  const told = (name: string, pattern: RegExp) =>
    SERVER.filter((source) => source.name === name)
      .flatMap(({ text }) => [...text.matchAll(pattern)])
      .map(([, word = ""]) => word);
  for (const word of [
    ...told("password_rules.rs", /Self::\w+ => "(\w+)"/g),
    ...told("values.rs", /\("([a-z]+_[a-z_]+)", /g),
    ...told("read.rs", /\("([a-z]+_[a-z_]+)", /g),
  ])
    words.add(word);
  for (const expected of [
    "already_imported",
    "unknown_kind",
    "too_old",
    "predictable",
    "not_text",
    "malformed",
  ])
    expect(words, expected).toContain(expected);
  for (const expected of ["insufficient_shares", "tick_size", "session", "combination", "group_unsupported"])
    expect(words, expected).toContain(expected);
  expect(unread).toEqual([]);
  expect(unsaid(words, en.rule)).toEqual([]);
});

test("every reason why a comparison fails has a sentence", () => {
  const source = sourcesOf("backend/src/trading/reconcile").find(({ name }) => name === "mod.rs")?.text ?? "";
  const names = source.split("impl Failure {")[1]?.split("impl From")[0] ?? "";
  const words = [...names.matchAll(/=> "(\w+)"/g)].map(([, word = ""]) => word);
  expect(words).toContain("unreachable");
  expect(unsaid(words, en.comparisonFailure)).toEqual([]);
});

test("every state of an order has a word", () => {
  const source = sourcesOf("domain/src").find(({ name }) => name === "order.rs")?.text ?? "";
  const words = [...source.matchAll(/Self::\w+ => "([A-Z_]+)"/g)].map(([, word = ""]) => word.toLowerCase());
  expect(words).toContain("pending_new");
  expect(unsaid(words, en.orderStatus)).toEqual([]);
});

test("every kind of difference to a broker has a name", () => {
  const { words, unread } = wordsOf(
    sourcesOf("backend/src/trading/reconcile"),
    { "Difference::of_order": 0, difference: 0 },
    {},
  );
  for (const expected of ["order_status", "replace_not_done", "external_order"])
    expect(words, expected).toContain(expected);
  expect(unread).toEqual([]);
  expect(unsaid([...words, "position", "cash"], en.difference)).toEqual([]);
});

test("every word by which a broker of this house refuses or ends an order has a sentence", () => {
  const connector = sourcesOf("broker-connector/src");
  const { words, unread } = wordsOf(
    connector.filter(({ name }) => name === "rules.rs"),
    { "Refusal::new": 0 },
    { "rules.rs: late.word()": null },
  );
  const told = (sources: typeof connector, name: string, pattern: RegExp) =>
    sources
      .filter((source) => source.name === name)
      .flatMap(({ text }) => [...text.matchAll(pattern)])
      .map(([, word = ""]) => word);
  for (const word of [
    ...told(connector, "lateness.rs", /=> "(\w+)"/g),
    ...told(connector, "venue.rs", /Refusal::new\("(too_\w+)"/g),
    ...told(sourcesOf("broker-connector/src/recovery"), "mod.rs", /const NEVER_\w+: &str = "(\w+)"/g),
    ...told(sourcesOf("exchange/src/book"), "event.rs", /=> Some\("(\w+)"\)/g),
    ...told(sourcesOf("exchange/src/interruptions"), "watch.rs", /=> "(\w+)"/g),
    ...told(sourcesOf("exchange/src/book"), "order.rs", /code: "(\w+)"/g),
    ...told(sourcesOf("exchange/src/book"), "order.rs", /=> "([a-z_]+)",/g),
  ])
    words.add(word);
  for (const expected of [
    "waited_too_long",
    "withdrawn",
    "session_over",
    "never_arrived",
    "too_many_symbols",
    "auction_missed",
    "protection_price",
    "trail",
  ])
    expect(words, expected).toContain(expected);
  expect(unread).toEqual([]);
  expect(unsaid(words, en.reason)).toEqual([]);
});
