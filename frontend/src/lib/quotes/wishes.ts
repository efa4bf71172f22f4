/** What can be followed of a share; the words are the quote server's. */
export const CHANNELS = ["quotes", "ticks", "order_book"] as const;
export type Channel = (typeof CHANNELS)[number];

/** A request to the quote server. */
export interface Request {
  action: "subscribe" | "unsubscribe";
  symbols: string[];
  /** Left out when it is about quotes, as the server does. */
  channel?: Channel;
}

/**
 * What the page wants to follow and not any more, until it is sent. Wishes of one moment become one request each, and a
 * wish that is taken back at once is not sent at all.
 */
export class Wishes {
  readonly #wanted = new Map<Channel, Set<string>>();
  readonly #unwanted = new Map<Channel, Set<string>>();

  want(channel: Channel, symbol: string): void {
    if (!of(this.#unwanted, channel).delete(symbol)) of(this.#wanted, channel).add(symbol);
  }

  unwant(channel: Channel, symbol: string): void {
    if (!of(this.#wanted, channel).delete(symbol)) of(this.#unwanted, channel).add(symbol);
  }

  /** The requests that say it, the ones that end something first: they make room for the others. */
  take(): Request[] {
    const requests = [...asked("unsubscribe", this.#unwanted), ...asked("subscribe", this.#wanted)];
    this.#unwanted.clear();
    this.#wanted.clear();
    return requests;
  }
}

function of(wishes: Map<Channel, Set<string>>, channel: Channel): Set<string> {
  const known = wishes.get(channel) ?? new Set();
  wishes.set(channel, known);
  return known;
}

function asked(action: Request["action"], wishes: Map<Channel, Set<string>>): Request[] {
  return [...wishes]
    .filter(([, symbols]) => symbols.size > 0)
    .map(([channel, symbols]) => ({
      action,
      symbols: [...symbols],
      ...(channel !== "quotes" && { channel }),
    }));
}
