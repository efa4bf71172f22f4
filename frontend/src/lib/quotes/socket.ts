import { create } from "zustand";
import { Feed, feedAddress, type News, type QuotesStatus, type Want } from "./feed";
import { readOrderBook } from "./order-book";
import { readMessage, readQuote } from "./quote";
import { LatestStore } from "./store";
import { afterTick, type Tape, type Tick } from "./trades";
import type { Channel } from "./wishes";

export const useQuotesStatus = create<{ status: QuotesStatus }>(() => ({ status: "connecting" }));

function storeOf<Value>(channel: Channel, read: (text: string) => Value | null): LatestStore<Value> {
  return new LatestStore<Value>(
    read,
    (how, on, symbol) => plan({ how, on, channel, symbol }),
    // The feed tells no more often than somebody can see; the browser then draws once for all that has changed.
    (flush) => requestAnimationFrame(flush),
  );
}

/** The last prices. */
export const quotes = storeOf("quotes", readQuote);
/** What is wanted and offered, of shares whose source tells. */
export const orderBooks = storeOf("order_book", readOrderBook);
/** The last trades. Every price counts for them, so none waits to be read. */
export const tapes = storeOf<Tape>("ticks", () => null);

const STORES = { quotes, order_book: orderBooks, ticks: tapes } as const;

let planned: Want[] | null = null;
let send: ((wants: readonly Want[]) => void) | null = null;

/** Wants of one moment are sent together. */
function plan(want: Want): void {
  if (planned !== null) {
    planned.push(want);
    return;
  }
  planned = [want];
  queueMicrotask(() => {
    const wants = planned ?? [];
    planned = null;
    send ??= startFeed();
    send(wants);
  });
}

function startFeed(): (wants: readonly Want[]) => void {
  if (typeof Worker === "undefined") return startInPage();
  const worker = new Worker(new URL("./feed-worker.ts", import.meta.url), { type: "module" });
  worker.addEventListener("message", (event: MessageEvent<News>) => receive(event.data));
  // A worker that cannot be loaded, or has a defect, is worth less than a busy page.
  worker.addEventListener("error", () => {
    worker.terminate();
    useQuotesStatus.setState({ status: "reconnecting" });
    send = startInPage();
    send(allWants());
  });
  return (wants) => worker.postMessage(wants);
}

function startInPage(): (wants: readonly Want[]) => void {
  const feed = new Feed(feedAddress(window.location.href), receive);
  return (wants) => feed.take(wants);
}

/** What every part of the page wants now, for a feed that knows nothing. */
function allWants(): Want[] {
  return Object.entries(STORES).flatMap(([channel, store]) =>
    store.wants().map(({ how, symbol }) => ({ how, on: true, channel: channel as Channel, symbol })),
  );
}

function receive({ status, latest, ticks }: News): void {
  if (status !== undefined) useQuotesStatus.setState({ status });
  for (const [channel, symbol, text] of latest) STORES[channel].putMessage(symbol, text);
  for (const [symbol, text] of ticks) {
    const tick = readMessage(text);
    if (tick !== null) tapes.put(symbol, afterTick(tapes.get(symbol), tick as unknown as Tick));
  }
}
