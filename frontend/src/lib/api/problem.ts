import type { FieldProblem, Problem } from "./types";

/** Codes made here, for failures that no problem document of the server describes. */
export type LocalCode = "network" | "timeout" | "unexpected_answer";

/** A request that did not succeed, in the server's own words where it had any. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";

  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly fields: readonly FieldProblem[] = [],
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(detail);
  }
}

function isProblem(body: unknown): body is Problem {
  return (
    typeof body === "object" &&
    body !== null &&
    "code" in body &&
    typeof body.code === "string" &&
    "status" in body
  );
}

/** Reads an answer that was not a success. */
export function problemFrom(response: Response, body: unknown): ProblemError {
  const header = Number(response.headers.get("Retry-After"));
  const retryAfter = Number.isFinite(header) && header > 0 ? header : null;
  if (!isProblem(body)) {
    return new ProblemError(response.status, "unexpected_answer", `HTTP ${response.status}`, [], retryAfter);
  }
  return new ProblemError(
    response.status,
    body.code,
    body.detail ?? body.title,
    body.errors ?? [],
    retryAfter,
  );
}

/** Reads a failure before any answer came. */
export function problemFromFailure(failure: unknown): ProblemError {
  if (failure instanceof ProblemError) return failure;
  const timedOut = failure instanceof DOMException && failure.name === "TimeoutError";
  const code: LocalCode = timedOut ? "timeout" : "network";
  return new ProblemError(0, code, failure instanceof Error ? failure.message : String(failure));
}
