import { expect, test } from "vitest";
import { EventStreamParser } from "./sse";

const STREAM =
  ': hello\nid: 7\nevent: order\ndata: {"a":1}\n\nid: 8\r\nevent: fill\r\ndata: one\r\ndata: two\r\n\r\ndata: x\n\n';
const EVENTS = [
  { id: "7", event: "order", data: '{"a":1}' },
  { id: "8", event: "fill", data: "one\ntwo" },
  { id: "8", event: "message", data: "x" },
];

test("events are read, comments are not", () => {
  expect(new EventStreamParser().feed(STREAM)).toEqual(EVENTS);
});

test("it does not matter where the network cuts the stream", () => {
  for (let cut = 0; cut <= STREAM.length; cut += 1) {
    const parser = new EventStreamParser();
    const events = [...parser.feed(STREAM.slice(0, cut)), ...parser.feed(STREAM.slice(cut))];
    expect(events, `cut at ${cut}`).toEqual(EVENTS);
  }
  const parser = new EventStreamParser();
  expect([...STREAM].flatMap((character) => parser.feed(character))).toEqual(EVENTS);
});

test("an event without data is none, and an unfinished one waits", () => {
  const parser = new EventStreamParser();
  expect(parser.feed("id: 1\nevent: order\n\n")).toEqual([]);
  expect(parser.feed("data: half")).toEqual([]);
  expect(parser.feed("\n\n")).toEqual([{ id: "1", event: "message", data: "half" }]);
});
