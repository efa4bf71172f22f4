import { type LiveQuote, readQuote } from "./quote";

type Listener = () => void;

/**
 * The latest quote of each symbol, outside React: a price reaches only the cells that show its symbol. However fast
 * quotes arrive, listeners hear once per frame.
 */
export class QuoteStore {
  readonly #quotes = new Map<string, LiveQuote>();
  /** Messages of quotes that nobody has looked at yet. */
  readonly #unread = new Map<string, string>();
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #changed = new Set<string>();
  #flushPlanned = false;

  constructor(
    private readonly onWanted: (symbol: string) => void,
    private readonly onUnwanted: (symbol: string) => void,
    private readonly planFlush: (flush: () => void) => void,
  ) {}

  get(symbol: string): LiveQuote | undefined {
    const text = this.#unread.get(symbol);
    if (text !== undefined) {
      this.#unread.delete(symbol);
      const quote = readQuote(text);
      if (quote !== null) this.#quotes.set(symbol, quote);
    }
    return this.#quotes.get(symbol);
  }

  wanted(): string[] {
    return [...this.#listeners.keys()];
  }

  /** Takes the message of a symbol's newest quote; it is read when somebody looks. */
  putMessage(symbol: string, text: string): void {
    this.#unread.set(symbol, text);
    this.#change(symbol);
  }

  put(quote: LiveQuote): void {
    this.#unread.delete(quote.symbol);
    this.#quotes.set(quote.symbol, quote);
    this.#change(quote.symbol);
  }

  #change(symbol: string): void {
    if (!this.#listeners.has(symbol)) return;
    this.#changed.add(symbol);
    if (this.#flushPlanned) return;
    this.#flushPlanned = true;
    this.planFlush(() => this.#flush());
  }

  /** Listens to one symbol; the first listener makes it wanted, the last one leaving ends that. */
  subscribe(symbol: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(symbol) ?? new Set();
    if (listeners.size === 0) {
      this.#listeners.set(symbol, listeners);
      this.onWanted(symbol);
    }
    listeners.add(listener);
    return () => {
      if (!listeners.delete(listener) || listeners.size > 0) return;
      this.#listeners.delete(symbol);
      this.onUnwanted(symbol);
    };
  }

  #flush(): void {
    this.#flushPlanned = false;
    const symbols = [...this.#changed];
    this.#changed.clear();
    for (const symbol of symbols) {
      for (const listener of this.#listeners.get(symbol) ?? []) listener();
    }
  }
}
