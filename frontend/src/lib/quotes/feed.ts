import { reconnectWaitMs } from "@/lib/backoff";
import { QUOTES_SILENCE_MS_MAX, SHOWN_INTERVAL_MS, TICKS_WAITING_MAX } from "@/lib/limits";
import { readMessage, topicOf } from "./quote";
import { CHANNELS, type Channel, type Request, Wishes } from "./wishes";

/** Whether prices can arrive. A price on the screen is called live only while this is `open`. */
export type QuotesStatus = "connecting" | "open" | "reconnecting";

/**
 * What a part of the page begins or ends to do with a share: `see` shows its news, `keep` only wants them to be there when
 * somebody looks.
 */
export interface Want {
  how: "see" | "keep";
  on: boolean;
  channel: Channel;
  symbol: string;
}

/** What the page is told at once: a change of the connection, and the messages of shares that are seen. */
export interface News {
  status?: QuotesStatus;
  /** Symbol and newest message of each share that has news. */
  latest: [channel: "quotes" | "order_book", symbol: string, text: string][];
  /** Every trade counts, in their order. */
  ticks: [symbol: string, text: string][];
}

/**
 * The connection to the quote server. Hundreds of shares with many prices a second would keep the page busy, so it stands
 * beside the page, in a worker where there is one, and tells it no more often than somebody can see, and only of what is
 * on the screen.
 */
export class Feed {
  #socket: WebSocket | null = null;
  #attempt = 0;
  #status: QuotesStatus = "connecting";
  /** When the server was last heard, and whether a sign of life was asked for since. */
  #heardAt = 0;
  #asked = false;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  readonly #wishes = new Wishes();
  readonly #wants = { see: wantsOfNobody(), keep: wantsOfNobody() };
  readonly #latest = { quotes: new Map<string, string>(), order_book: new Map<string, string>() };
  readonly #changed = { quotes: new Set<string>(), order_book: new Set<string>() };
  #ticks: News["ticks"] = [];
  #tellPlanned = false;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly address: string,
    private readonly tell: (news: News) => void,
  ) {}

  /** Takes what the page wants from now on; wants of one moment become one request each. */
  take(wants: readonly Want[]): void {
    for (const want of wants) this.#take(want);
    if (this.#socket === null && this.#retry === undefined) this.#connect();
    else if (this.#socket?.readyState === WebSocket.OPEN) this.#sendWishes();
  }

  #take({ how, on, channel, symbol }: Want): void {
    const before = this.#isWanted(channel, symbol);
    if (on) this.#wants[how][channel].add(symbol);
    else this.#wants[how][channel].delete(symbol);
    const after = this.#isWanted(channel, symbol);
    if (after && !before) this.#wishes.want(channel, symbol);
    if (before && !after) {
      this.#wishes.unwant(channel, symbol);
      // What nobody follows grows old, and must not be shown as new later.
      if (channel !== "ticks") this.#latest[channel].delete(symbol);
    }
    // What was kept until somebody looks is told at once.
    if (how === "see" && on && channel !== "ticks" && this.#latest[channel].has(symbol))
      this.#change(channel, symbol);
  }

  #isWanted(channel: Channel, symbol: string): boolean {
    return this.#wants.see[channel].has(symbol) || this.#wants.keep[channel].has(symbol);
  }

  #send(message: Request | { action: "ping" }): void {
    this.#socket?.send(JSON.stringify(message));
  }

  #sendWishes(): void {
    for (const request of this.#wishes.take()) this.#send(request);
  }

  /** A new connection knows of nothing: everything that is followed is asked for anew. */
  #wishForAll(): void {
    this.#wishes.take();
    const { see, keep } = this.#wants;
    for (const channel of CHANNELS)
      for (const symbol of new Set([...see[channel], ...keep[channel]])) this.#wishes.want(channel, symbol);
  }

  #connect(): void {
    const socket = new WebSocket(this.address);
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.#wishForAll();
      this.#sendWishes();
      this.#heardAt = performance.now();
      this.#watchSilence();
    });
    socket.addEventListener("message", (event: MessageEvent<string>) => this.#receive(event.data));
    socket.addEventListener("close", () => this.#drop(socket));
  }

  #receive(text: string): void {
    this.#heardAt = performance.now();
    const topic = topicOf(text);
    if (topic === null && readMessage(text) === null) return;
    // Only a word from the server proves that it is there: an open socket alone may end in a dead relay.
    this.#attempt = 0;
    if (this.#status !== "open") this.#setStatus("open");
    if (topic === null) return;
    const { type, symbol } = topic;
    if (type === "tick") this.#takeTick(symbol, text);
    else {
      const channel = type === "quote" ? "quotes" : type;
      this.#latest[channel].set(symbol, text);
      if (this.#wants.see[channel].has(symbol)) this.#change(channel, symbol);
    }
  }

  #takeTick(symbol: string, text: string): void {
    if (!this.#wants.see.ticks.has(symbol)) return;
    // A page that does not listen for a while misses trades, and sees so by their numbers.
    if (this.#ticks.length >= TICKS_WAITING_MAX) this.#ticks.shift();
    this.#ticks.push([symbol, text]);
    this.#planTelling();
  }

  #change(channel: "quotes" | "order_book", symbol: string): void {
    this.#changed[channel].add(symbol);
    this.#planTelling();
  }

  #planTelling(): void {
    if (this.#tellPlanned) return;
    this.#tellPlanned = true;
    const waitMs = this.#toldAt + SHOWN_INTERVAL_MS - performance.now();
    setTimeout(() => this.#tellAll(), Math.max(0, waitMs));
  }

  #tellAll(): void {
    this.#tellPlanned = false;
    this.#toldAt = performance.now();
    const news: News = { latest: [], ticks: this.#ticks };
    this.#ticks = [];
    for (const channel of ["quotes", "order_book"] as const) {
      for (const symbol of this.#changed[channel]) {
        const text = this.#latest[channel].get(symbol);
        if (text !== undefined) news.latest.push([channel, symbol, text]);
      }
      this.#changed[channel].clear();
    }
    this.tell(news);
  }

  #setStatus(status: QuotesStatus): void {
    this.#status = status;
    this.tell({ status, latest: [], ticks: [] });
  }

  /** After a silence a sign of life is asked for; when none comes, the connection is given up. */
  #watchSilence(): void {
    clearTimeout(this.#silence);
    const silentMs = performance.now() - this.#heardAt;
    if (silentMs < QUOTES_SILENCE_MS_MAX) {
      this.#asked = false;
      this.#silence = setTimeout(() => this.#watchSilence(), QUOTES_SILENCE_MS_MAX - silentMs);
    } else if (this.#asked) {
      if (this.#socket !== null) this.#drop(this.#socket);
    } else {
      this.#asked = true;
      if (this.#socket?.readyState === WebSocket.OPEN) this.#send({ action: "ping" });
      this.#silence = setTimeout(() => this.#watchSilence(), QUOTES_SILENCE_MS_MAX);
    }
  }

  /** Gives a connection up. Not waiting for its `close`: a dead peer never sends one. */
  #drop(socket: WebSocket): void {
    if (this.#socket !== socket) return;
    this.#socket = null;
    socket.close();
    clearTimeout(this.#silence);
    this.#setStatus("reconnecting");
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#connect();
    }, reconnectWaitMs(this.#attempt));
    this.#attempt += 1;
  }
}

function wantsOfNobody(): Record<Channel, Set<string>> {
  return { quotes: new Set(), ticks: new Set(), order_book: new Set() };
}

/** Where the quote server is, seen from a file of this page. */
export function feedAddress(base: string): string {
  const url = new URL("/ws", base);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}
