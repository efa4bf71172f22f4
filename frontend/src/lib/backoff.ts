import { RECONNECT_WAIT_MS_MAX, RECONNECT_WAIT_MS_MIN } from "@/lib/limits";

/**
 * How long to wait before try number `attempt` (0 is the first after a break). Doubles up to the longest wait, with
 * half of it drawn at random so that many pages do not return at the same instant.
 */
export function reconnectWaitMs(attempt: number, random: () => number = Math.random): number {
  const full = Math.min(RECONNECT_WAIT_MS_MIN * 2 ** attempt, RECONNECT_WAIT_MS_MAX);
  return full / 2 + (full / 2) * random();
}
