import { create } from "zustand";
import { reconnectWaitMs } from "@/lib/backoff";
import { QUOTES_SILENCE_MS_MAX, SHOWN_INTERVAL_MS } from "@/lib/limits";
import { quotedSymbol, readQuoteMessage } from "./quote";
import { QuoteStore } from "./store";

/** Whether prices can arrive. A price on the screen is called live only while this is `open`. */
export type QuotesStatus = "connecting" | "open" | "reconnecting";

export const useQuotesStatus = create<{ status: QuotesStatus; unknown: readonly string[] }>(() => ({
  status: "connecting",
  unknown: [],
}));

let socket: WebSocket | null = null;
let attempt = 0;
let silence: ReturnType<typeof setTimeout> | undefined;
/** When the server was last heard, and whether a sign of life was asked for since. */
let heardAt = 0;
let asked = false;
let retry: ReturnType<typeof setTimeout> | undefined;
let toSubscribe = new Set<string>();
let toUnsubscribe = new Set<string>();
let changesPlanned = false;

export const quotes = new QuoteStore(
  (symbol) => planChange(symbol, toSubscribe, toUnsubscribe),
  (symbol) => planChange(symbol, toUnsubscribe, toSubscribe),
  planFlush,
);

let flushedAt = 0;

/** Prices are shown with the next frame, but not more often than somebody can see. */
function planFlush(flush: () => void): void {
  const waitMs = flushedAt + SHOWN_INTERVAL_MS - performance.now();
  const show = () =>
    requestAnimationFrame(() => {
      flushedAt = performance.now();
      flush();
    });
  if (waitMs > 0) setTimeout(show, waitMs);
  else show();
}

/** Wishes of one moment are sent as one message, and a wish taken back at once is not sent at all. */
function planChange(symbol: string, wishes: Set<string>, opposite: Set<string>): void {
  if (!opposite.delete(symbol)) wishes.add(symbol);
  if (changesPlanned) return;
  changesPlanned = true;
  queueMicrotask(() => {
    changesPlanned = false;
    if (socket === null && retry === undefined) connect();
    else if (socket?.readyState === WebSocket.OPEN) sendChanges();
  });
}

function send(message: object): void {
  socket?.send(JSON.stringify(message));
}

function sendChanges(): void {
  if (toUnsubscribe.size > 0) send({ action: "unsubscribe", symbols: [...toUnsubscribe] });
  if (toSubscribe.size > 0) send({ action: "subscribe", symbols: [...toSubscribe] });
  toSubscribe = new Set();
  toUnsubscribe = new Set();
}

function connect(): void {
  const url = new URL("/ws", window.location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const current = new WebSocket(url);
  socket = current;
  current.addEventListener("open", () => {
    toUnsubscribe = new Set();
    toSubscribe = new Set(quotes.wanted());
    sendChanges();
    heardAt = performance.now();
    watchSilence();
  });
  current.addEventListener("message", (event: MessageEvent<string>) => receive(event.data));
  current.addEventListener("close", () => drop(current));
}

function receive(text: string): void {
  heardAt = performance.now();
  const symbol = quotedSymbol(text);
  const message = symbol === null ? readQuoteMessage(text) : null;
  if (symbol === null && message === null) return;
  // Only a word from the server proves that it is there: an open socket alone may end in a dead relay.
  attempt = 0;
  if (useQuotesStatus.getState().status !== "open") useQuotesStatus.setState({ status: "open" });
  if (symbol !== null) quotes.putMessage(symbol, text);
  else if (message?.type === "quote") {
    const { type: _, ...quote } = message;
    quotes.put(quote);
  } else if (message?.type === "error" && message.symbol !== undefined) {
    const refused = message.symbol;
    useQuotesStatus.setState(({ unknown }) => ({ unknown: [...new Set([...unknown, refused])] }));
  }
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
