import { accessToken, renewSession } from "@/lib/session";
import { problemFrom, problemFromFailure } from "./problem";

/** A file may take longer than an answer: the server writes it while it is read. */
const DOWNLOAD_TIMEOUT_MS = 120_000;
/** How long the browser may take to begin saving before the address of the file is given up. */
const SAVE_WAIT_MS = 10_000;

async function fetchFile(path: string): Promise<Response> {
  const request = (token: string | null) =>
    fetch(path, {
      headers: { Authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS),
    });
  const token = accessToken();
  const response = await request(token);
  return response.status === 401 ? request(await renewSession(token)) : response;
}

/** Saves a file of the server under a name. It is fetched, because a link could not carry the access token. */
export async function saveFile(path: string, name: string): Promise<void> {
  const response = await fetchFile(path).catch((failure: unknown) => {
    throw problemFromFailure(failure);
  });
  if (!response.ok) throw problemFrom(response, await response.json().catch(() => null));
  const address = URL.createObjectURL(await response.blob());
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), SAVE_WAIT_MS);
}

/** The query part of an address, with what is given. */
export function queryText(query: Record<string, string | undefined>): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const text = new URLSearchParams(given).toString();
  return text === "" ? "" : `?${text}`;
}
