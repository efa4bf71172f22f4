import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { EARLY_ANSWER_MS_MAX } from "@/lib/limits";
import { askEarly, hasEarly, takeEarly } from "./early";

let asked: { path: string; signal: AbortSignal | null | undefined }[];

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  vi.stubGlobal("fetch", (path: string, init?: RequestInit) => {
    asked.push({ path, signal: init?.signal });
    return Promise.resolve(new Response("[]"));
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("an early answer is taken once, and another one is asked for anew", async () => {
  void askEarly("/api/accounts", "token");
  expect(hasEarly("/api/accounts")).toBe(true);
  const early = takeEarly("/api/accounts");
  expect(await (await early?.answer)?.text()).toBe("[]");
  expect(takeEarly("/api/accounts")).toBeNull();
  expect(asked).toHaveLength(1);
});

test("an answer that nobody takes is old after a while, and its stream is closed", () => {
  void askEarly("/api/events", "token", true);
  vi.advanceTimersByTime(EARLY_ANSWER_MS_MAX);
  expect(takeEarly("/api/events")).toBeNull();
  expect(asked[0]?.signal?.aborted).toBe(true);
});

test("a stream that was taken stays open", () => {
  void askEarly("/api/events", "token", true);
  takeEarly("/api/events");
  vi.advanceTimersByTime(EARLY_ANSWER_MS_MAX);
  expect(asked[0]?.signal?.aborted).toBe(false);
});
