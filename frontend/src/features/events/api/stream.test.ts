// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { readEvents } from "./stream";
import "@/testing/set-up";

let streams: ReadableStreamDefaultController<Uint8Array>[];
let told: string[];
let stop: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  streams = [];
  told = [];
  vi.stubGlobal("fetch", async () => {
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void streams.push(controller) });
    return new Response(body);
  });
  stop = readEvents({
    onOpen: () => told.push("open"),
    onEvent: ({ event }) => told.push(event),
    onBreak: () => told.push("break"),
  });
});

afterEach(() => {
  stop();
  vi.useRealTimers();
});

test("a stream that the server ends after a while is followed by the next one, and nothing is said to be broken", async () => {
  await vi.advanceTimersByTimeAsync(31_000);
  streams[0]?.close();
  await vi.advanceTimersByTimeAsync(0);
  expect(streams).toHaveLength(2);
  expect(told).toEqual(["open", "open"]);
});

test("a stream that ends at once, or breaks, is told as broken and opened again later", async () => {
  await vi.advanceTimersByTimeAsync(1_000);
  streams[0]?.close();
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toEqual(["open", "break"]);
  await vi.advanceTimersByTimeAsync(60_000);
  streams.at(-1)?.error(new Error("gone"));
  await vi.advanceTimersByTimeAsync(0);
  expect(told.slice(-2)).toEqual(["open", "break"]);
});
