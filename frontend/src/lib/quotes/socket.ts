import { create } from "zustand";
import { reconnectWaitMs } from "@/lib/backoff";
import { QUOTES_SILENCE_MS_MAX } from "@/lib/limits";
import { readOrderBook } from "./order-book";
import { whenShownNext } from "./pace";
import { readMessage, readQuote, topicOf } from "./quote";
import { LatestStore } from "./store";
import { afterTick, type Tape, type Tick } from "./trades";
import { type Channel, type Request, Wishes } from "./wishes";

/** Whether prices can arrive. A price on the screen is called live only while this is `open`. */
export type QuotesStatus = "connecting" | "open" | "reconnecting";

export const useQuotesStatus = create<{ status: QuotesStatus }>(() => ({ status: "connecting" }));

let socket: WebSocket | null = null;
let attempt = 0;
let silence: ReturnType<typeof setTimeout> | undefined;
/** When the server was last heard, and whether a sign of life was asked for since. */
let heardAt = 0;
let asked = false;
let retry: ReturnType<typeof setTimeout> | undefined;
const wishes = new Wishes();
let changesPlanned = false;

function storeOf<Value>(channel: Channel, read: (text: string) => Value | null): LatestStore<Value> {
  return new LatestStore<Value>(
    read,
    (symbol) => {
      wishes.want(channel, symbol);
      planChanges();
    },
    (symbol) => {
      wishes.unwant(channel, symbol);
      planChanges();
    },
    whenShownNext,
  );
}

/** The last prices. */
export const quotes = storeOf("quotes", readQuote);
/** What is wanted and offered, of shares whose source tells. */
export const orderBooks = storeOf("order_book", readOrderBook);
/** The last trades. Every price counts for them, so none waits to be read. */
export const tapes = storeOf<Tape>("ticks", () => null);

const STORES = { quotes, order_book: orderBooks, ticks: tapes } as const;

/** Wishes of one moment are sent together. */
function planChanges(): void {
  if (changesPlanned) return;
  changesPlanned = true;
  queueMicrotask(() => {
    changesPlanned = false;
    if (socket === null && retry === undefined) connect();
    else if (socket?.readyState === WebSocket.OPEN) sendWishes();
  });
}

function send(message: Request | { action: "ping" }): void {
  socket?.send(JSON.stringify(message));
}

function sendWishes(): void {
  for (const request of wishes.take()) send(request);
}

/** A new connection knows of nothing: everything that is followed is asked for anew. */
function wishForAll(): void {
  wishes.take();
  for (const [channel, store] of Object.entries(STORES))
    for (const symbol of store.wanted()) wishes.want(channel as Channel, symbol);
}

function connect(): void {
  const url = new URL("/ws", window.location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const current = new WebSocket(url);
  socket = current;
  current.addEventListener("open", () => {
    wishForAll();
    sendWishes();
    heardAt = performance.now();
    watchSilence();
  });
  current.addEventListener("message", (event: MessageEvent<string>) => receive(event.data));
  current.addEventListener("close", () => drop(current));
}

function receive(text: string): void {
  heardAt = performance.now();
  const topic = topicOf(text);
  if (topic === null && readMessage(text) === null) return;
  // Only a word from the server proves that it is there: an open socket alone may end in a dead relay.
  attempt = 0;
  if (useQuotesStatus.getState().status !== "open") useQuotesStatus.setState({ status: "open" });
  switch (topic?.type) {
    case "quote":
      quotes.putMessage(topic.symbol, text);
      break;
    case "order_book":
      orderBooks.putMessage(topic.symbol, text);
      break;
    case "tick":
      takeTick(topic.symbol, text);
  }
}

function takeTick(symbol: string, text: string): void {
  const tick = readMessage(text);
  if (tick !== null) tapes.put(symbol, afterTick(tapes.get(symbol), tick as unknown as Tick));
}

/** After a silence a sign of life is asked for; when none comes, the connection is given up. */
function watchSilence(): void {
  clearTimeout(silence);
  const silentMs = performance.now() - heardAt;
  if (silentMs < QUOTES_SILENCE_MS_MAX) {
    asked = false;
    silence = setTimeout(watchSilence, QUOTES_SILENCE_MS_MAX - silentMs);
  } else if (asked) {
    if (socket !== null) drop(socket);
  } else {
    asked = true;
    if (socket?.readyState === WebSocket.OPEN) send({ action: "ping" });
    silence = setTimeout(watchSilence, QUOTES_SILENCE_MS_MAX);
  }
}

/** Gives a connection up. Not waiting for its `close`: a dead peer never sends one. */
function drop(current: WebSocket): void {
  if (socket !== current) return;
  socket = null;
  current.close();
  clearTimeout(silence);
  useQuotesStatus.setState({ status: "reconnecting" });
  retry = setTimeout(() => {
    retry = undefined;
    connect();
  }, reconnectWaitMs(attempt));
  attempt += 1;
}
