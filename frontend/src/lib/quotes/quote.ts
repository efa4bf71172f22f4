import type { Currency } from "@/lib/api/types";

/** A price as it is shown: decimals kept as the digits in which they arrived. */
export interface LiveQuote {
  symbol: string;
  price: string;
  change: string | null;
  changePercent: string | null;
  bid: string | null;
  ask: string | null;
  open: string;
  high: string;
  low: string;
  previousClose: string | null;
  volume: number;
  currency: Currency;
  sessionDate: string;
  time: string;
  source: string;
  simulated: boolean;
  delayed: boolean;
}

/** What kind of price this is, in one word. */
export type PriceKind = "live" | "delayed" | "recorded" | "simulated";

export function priceKind(quote: Pick<LiveQuote, "simulated" | "delayed" | "source">): PriceKind {
  if (quote.simulated) return "simulated";
  if (quote.source === "replay") return "recorded";
  return quote.delayed ? "delayed" : "live";
}

const DECIMAL_FIELDS = new Set([
  "price",
  "change",
  "changePercent",
  "bid",
  "ask",
  "open",
  "high",
  "low",
  "previousClose",
]);

/** Any message of the quote server; what else it holds goes by its type. */
export interface Message {
  type: string;
  symbol?: string;
}

/**
 * Reads a message of the quote server. Prices travel as JSON numbers; the digits are taken from the text itself
 * where the browser gives it, and otherwise from the shortest text of the number, which has the same digits for
 * every price of up to fifteen.
 */
export function readMessage(text: string): Message | null {
  try {
    const reviver = (key: string, value: unknown, context?: { source?: string }): unknown =>
      typeof value === "number" && DECIMAL_FIELDS.has(key) ? (context?.source ?? String(value)) : value;
    const message: unknown = JSON.parse(text, reviver);
    if (typeof message !== "object" || message === null || !("type" in message)) return null;
    return message as Message;
  } catch {
    return null;
  }
}

const BEGINS = /^\{"type":"(quote|tick|order_book)","symbol":"([^"\\]+)"/;

/** What a message is about, without reading the rest of it. */
export interface Topic {
  type: "quote" | "tick" | "order_book";
  symbol: string;
}

/**
 * The topic of a message about a share: most of a long list are replaced by newer ones before anybody looks at them.
 * Null where only reading it tells what it is.
 */
export function topicOf(text: string): Topic | null {
  const [, type, symbol] = BEGINS.exec(text) ?? [];
  return type === undefined || symbol === undefined ? null : { type: type as Topic["type"], symbol };
}

/** The quote of a message that is one. */
export function readQuote(text: string): LiveQuote | null {
  const message = readMessage(text);
  if (message?.type !== "quote") return null;
  const { type: _, ...quote } = message as Message & LiveQuote;
  return quote;
}
