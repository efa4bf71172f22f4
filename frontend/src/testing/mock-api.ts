import { vi } from "vitest";
import { bodyOf, misfits, type Route, routeOf, sampleOf, successOf } from "./api-description";

/** A request that the page has sent. */
export interface Sent {
  name: string;
  query: Record<string, string>;
  headers: Headers;
  body: unknown;
}

type Part = Record<string, unknown>;
type Reply = { status?: number; body: Part };

/**
 * Stands in for the server, made from its OpenAPI document: it answers what the API describes, and a test says only what
 * matters to it. A request that the API does not know or take, and an answer that it would not give, make the test fail.
 */
export class MockApi {
  readonly sent: Sent[] = [];
  readonly #replies = new Map<string, Reply[]>();

  /** Puts itself in the place of the network until the test ends. */
  install(): this {
    vi.stubGlobal("fetch", (input: RequestInfo | URL, init?: RequestInit) =>
      this.#answer(new Request(input, init)),
    );
    return this;
  }

  /** What is different from the plainest answer of an operation, such as `GET /api/portfolio`; the last one stays. */
  on(name: string, ...bodies: Part[]): this {
    this.#replies.set(
      name,
      bodies.map((body) => ({ body })),
    );
    return this;
  }

  /** A refusal, and then the answers of before. */
  refuseOnce(name: string, status: number, problem: Part): this {
    const later = this.#replies.get(name) ?? [{ body: {} }];
    const title = "Refused";
    const body = { type: "about:blank", title, detail: title, status, ...problem };
    this.#replies.set(name, [{ status, body }, ...later]);
    return this;
  }

  bodies(name: string): unknown[] {
    return this.sent.filter((request) => request.name === name).map(({ body }) => body);
  }

  headers(name: string, header: string): (string | null)[] {
    return this.sent.filter((request) => request.name === name).map(({ headers }) => headers.get(header));
  }

  async #answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const route = routeOf(request.method, url.pathname);
    if (route === null) throw new Error(`the API knows no ${request.method} ${url.pathname}`);
    const body = await bodyOfRequest(request);
    const wanted = bodyOf(route.operation);
    if (wanted !== undefined) fits(`${route.name}, sent`, misfits(body, wanted));
    const { headers } = request;
    this.sent.push({ name: route.name, query: Object.fromEntries(url.searchParams), headers, body });
    return this.#reply(route);
  }

  #reply({ name, operation }: Route): Response {
    const replies = this.#replies.get(name) ?? [{ body: {} }];
    const reply = (replies.length > 1 ? replies.shift() : replies[0]) ?? { body: {} };
    const { status, schema } = successOf(operation);
    if (reply.status !== undefined) return Response.json(reply.body, { status: reply.status });
    if (schema === undefined) return new Response(null, { status });
    const body = { ...(sampleOf(schema) as Part), ...reply.body };
    fits(`${name}, answered`, misfits(body, schema));
    return Response.json(body, { status });
  }
}

/** Files stay the text that they are. */
async function bodyOfRequest(request: Request): Promise<unknown> {
  const text = await request.text();
  if (text === "") return null;
  return request.headers.get("Content-Type")?.includes("json") ? JSON.parse(text) : text;
}

function fits(what: string, found: readonly string[]): void {
  if (found.length > 0) throw new Error(`${what}: ${found.join("; ")}`);
}
