import type { Currency } from "@/lib/api/types";
import { readMessage } from "./quote";

/** Shares wanted or offered at one price. */
export interface Level {
  price: string;
  quantity: number;
}

/** What is wanted and offered of a share. */
export interface OrderBook {
  symbol: string;
  currency: Currency;
  /** Wanted, the highest price first. */
  bids: Level[];
  /** Offered, the lowest price first. */
  asks: Level[];
  simulated: boolean;
}

/** The book of a message that is one. */
export function readOrderBook(text: string): OrderBook | null {
  const message = readMessage(text);
  return message?.type === "order_book" ? (message as unknown as OrderBook) : null;
}
