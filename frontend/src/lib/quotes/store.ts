type Listener = () => void;

/**
 * The latest value of each symbol on one channel, outside React: news reach only what shows their symbol. However fast
 * they arrive, listeners hear once each time the screen is drawn anew.
 */
export class LatestStore<Value> {
  readonly #values = new Map<string, Value>();
  /** Messages that nobody has looked at yet. */
  readonly #unread = new Map<string, string>();
  readonly #listeners = new Map<string, Set<Listener>>();
  /** How many parts of the page want a symbol to be there although nobody looks. */
  readonly #keepers = new Map<string, number>();
  readonly #changed = new Set<string>();
  #flushPlanned = false;

  constructor(
    private readonly read: (text: string) => Value | null,
    private readonly onWant: (how: "see" | "keep", on: boolean, symbol: string) => void,
    private readonly planFlush: (flush: () => void) => void,
  ) {}

  get(symbol: string): Value | undefined {
    const text = this.#unread.get(symbol);
    if (text !== undefined) {
      this.#unread.delete(symbol);
      const value = this.read(text);
      if (value !== null) this.#values.set(symbol, value);
    }
    return this.#values.get(symbol);
  }

  /** What is wanted now, and whether it is seen or only kept. */
  wants(): { how: "see" | "keep"; symbol: string }[] {
    const of = (how: "see" | "keep", known: Map<string, unknown>) =>
      [...known.keys()].map((symbol) => ({ how, symbol }));
    return [...of("see", this.#listeners), ...of("keep", this.#keepers)];
  }

  /** Has news of symbols collected, so that what appears later has its value at once. Returns the way to stop. */
  keep(symbols: readonly string[]): () => void {
    for (const symbol of symbols) {
      const keepers = this.#keepers.get(symbol) ?? 0;
      this.#keepers.set(symbol, keepers + 1);
      if (keepers === 0) this.onWant("keep", true, symbol);
    }
    return () => {
      for (const symbol of symbols) {
        const left = (this.#keepers.get(symbol) ?? 0) - 1;
        if (left > 0) {
          this.#keepers.set(symbol, left);
        } else if (this.#keepers.delete(symbol)) this.onWant("keep", false, symbol);
      }
    };
  }

  /** Takes the message of a symbol's newest value; it is read when somebody looks. */
  putMessage(symbol: string, text: string): void {
    this.#unread.set(symbol, text);
    this.#change(symbol);
  }

  put(symbol: string, value: Value): void {
    this.#unread.delete(symbol);
    this.#values.set(symbol, value);
    this.#change(symbol);
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
      this.onWant("see", true, symbol);
    }
    listeners.add(listener);
    return () => {
      if (!listeners.delete(listener) || listeners.size > 0) return;
      this.#listeners.delete(symbol);
      this.onWant("see", false, symbol);
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
