/** One event of a `text/event-stream`, as the HTML standard defines it. */
export interface ServerSentEvent {
  id: string | null;
  event: string;
  data: string;
}

/**
 * Takes an event stream apart, piece by piece as it arrives. A piece may end anywhere, also between the two
 * characters of a line end.
 */
export class EventStreamParser {
  #rest = "";
  #id: string | null = null;
  #event = "";
  #data: string[] = [];

  feed(piece: string): ServerSentEvent[] {
    const lines = (this.#rest + piece).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    const events: ServerSentEvent[] = [];
    for (const line of lines) {
      const event = this.#readLine(line);
      if (event !== null) events.push(event);
    }
    return events;
  }

  #readLine(line: string): ServerSentEvent | null {
    if (line === "") return this.#dispatch();
    if (line.startsWith(":")) return null;
    const colon = line.indexOf(":");
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "id" && !value.includes("\0")) this.#id = value;
    if (field === "event") this.#event = value;
    if (field === "data") this.#data.push(value);
    return null;
  }

  #dispatch(): ServerSentEvent | null {
    const data = this.#data;
    const event = this.#event || "message";
    this.#data = [];
    this.#event = "";
    return data.length === 0 ? null : { id: this.#id, event, data: data.join("\n") };
  }
}
