import { takeEarly } from "@/lib/api/early";
import { reconnectWaitMs } from "@/lib/backoff";
import { EVENTS_LIFE_MS_MIN, EVENTS_SILENCE_MS_MAX } from "@/lib/limits";
import { accessToken, renewSession } from "@/lib/session";
import { EventStreamParser, type ServerSentEvent } from "./sse";

const EVENTS_PATH = "/api/events";

interface Listener {
  onOpen: () => void;
  onEvent: (event: ServerSentEvent) => void;
  onBreak: () => void;
}

/**
 * Reads `/api/events` until stopped. The stream is read with `fetch` because it wants the access token in a header;
 * after a break it resumes behind the last event seen. Returns the way to stop.
 */
export function readEvents(listener: Listener): () => void {
  const stop = new AbortController();
  void readUntilStopped(listener, stop.signal);
  return () => stop.abort();
}

async function readUntilStopped(listener: Listener, stopped: AbortSignal): Promise<void> {
  let lastId: string | null = null;
  let attempt = 0;
  while (!stopped.aborted) {
    const began = Date.now();
    let endedWell = false;
    try {
      await readOnce(lastId, stopped, {
        ...listener,
        onOpen: () => {
          attempt = 0;
          listener.onOpen();
        },
        onEvent: (event) => {
          lastId = event.id ?? lastId;
          listener.onEvent(event);
        },
      });
      endedWell = Date.now() - began >= EVENTS_LIFE_MS_MIN;
    } catch {
      // Every way in which a connection ends has the same answer: connect again.
    }
    if (stopped.aborted) return;
    // The server ends each stream after a while: the next one takes over, and nothing is missing in between.
    if (endedWell) continue;
    listener.onBreak();
    await pause(reconnectWaitMs(attempt), stopped);
    attempt += 1;
  }
}

async function readOnce(lastId: string | null, stopped: AbortSignal, listener: Listener): Promise<void> {
  const broken = new AbortController();
  const signal = AbortSignal.any([stopped, broken.signal]);
  let silence = setTimeout(() => broken.abort(), EVENTS_SILENCE_MS_MAX);
  try {
    const response = await open(lastId, signal);
    if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status}`);
    listener.onOpen();
    const parser = new EventStreamParser();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(silence);
      silence = setTimeout(() => broken.abort(), EVENTS_SILENCE_MS_MAX);
      for (const event of parser.feed(value)) listener.onEvent(event);
    }
  } finally {
    clearTimeout(silence);
  }
}

async function open(lastId: string | null, signal: AbortSignal): Promise<Response> {
  const request = (token: string | null) =>
    fetch(EVENTS_PATH, {
      headers: {
        Accept: "text/event-stream",
        Authorization: `Bearer ${token}`,
        ...(lastId !== null && { "Last-Event-ID": lastId }),
      },
      cache: "no-store",
      signal,
    });
  const early = lastId === null ? takeEarly(EVENTS_PATH) : null;
  if (early !== null) {
    signal.addEventListener("abort", () => early.stop.abort());
    const answer = await early.answer.catch(() => null);
    if (answer?.ok) return answer;
  }
  const token = accessToken();
  const response = await request(token);
  if (response.status !== 401) return response;
  return request(await renewSession(token));
}

/** Waits, but not when the network has just come back or the page is being left. */
function pause(waitMs: number, stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      window.removeEventListener("online", finish);
      stopped.removeEventListener("abort", finish);
      resolve();
    };
    const timer = setTimeout(finish, waitMs);
    window.addEventListener("online", finish);
    stopped.addEventListener("abort", finish);
  });
}
