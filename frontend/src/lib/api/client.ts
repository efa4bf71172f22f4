import createClient from "openapi-fetch";
import { REQUEST_TIMEOUT_MS } from "@/lib/limits";
import { accessToken, renewSession } from "@/lib/session";
import { takeEarly } from "./early";
import { problemFrom, problemFromFailure } from "./problem";
import type { paths } from "./schema";

function withToken(request: Request, token: string | null): Request {
  const authorised = new Request(request, {
    signal: AbortSignal.any([request.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
  });
  if (token !== null) authorised.headers.set("Authorization", `Bearer ${token}`);
  return authorised;
}

/** Codes of a 401 that a new access token mends. A wrong password or a wrong code is a 401 too, and stays wrong. */
const TOKEN_CODES = ["missing_token", "invalid_token", "expired_token"];

async function wantsNewToken(response: Response): Promise<boolean> {
  if (response.status !== 401) return false;
  const problem = (await response
    .clone()
    .json()
    .catch(() => null)) as { code?: string } | null;
  return TOKEN_CODES.includes(problem?.code ?? "");
}

/** The answer to a request that was asked before the page was there; only a success saves asking. */
async function earlyAnswer({ method, url }: Request): Promise<Response | null> {
  const { pathname, search } = new URL(url);
  const early = method === "GET" ? takeEarly(pathname + search) : null;
  const answer = await early?.answer.catch(() => null);
  return answer?.ok ? answer : null;
}

/** Sends a request with the access token; an expired one is renewed once and the request sent again. */
async function authorisedFetch(request: Request): Promise<Response> {
  const early = await earlyAnswer(request);
  if (early !== null) return early;
  const token = accessToken();
  const again = request.clone();
  const response = await fetch(withToken(request, token));
  if (token === null || !(await wantsNewToken(response))) return response;
  const renewed = await renewSession(token);
  return renewed === null ? response : fetch(withToken(again, renewed));
}

/** The server's API, typed by its OpenAPI document. */
export const api = createClient<paths>({ baseUrl: window.location.origin, fetch: authorisedFetch });

/** Requests in which no access token plays a part. */
export const publicApi = createClient<paths>({
  baseUrl: window.location.origin,
  fetch: (request) => fetch(withToken(request, null)),
});

/** The body of a success, or a thrown `ProblemError`. */
export async function unwrap<Body>(
  answer: Promise<{ data?: Body; error?: unknown; response: Response }>,
): Promise<Body> {
  const { data, error, response } = await answer.catch((failure: unknown) => {
    throw problemFromFailure(failure);
  });
  if (!response.ok) throw problemFrom(response, error);
  return data as Body;
}
