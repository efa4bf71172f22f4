import { expect, test } from "vitest";
import { reconnectWaitMs } from "./backoff";
import { RECONNECT_WAIT_MS_MAX, RECONNECT_WAIT_MS_MIN } from "./limits";

test("waits double, stay within bounds, and differ between pages", () => {
  expect(reconnectWaitMs(0, () => 0)).toBe(RECONNECT_WAIT_MS_MIN / 2);
  expect(reconnectWaitMs(1, () => 1)).toBe(RECONNECT_WAIT_MS_MIN * 2);
  expect(reconnectWaitMs(1_000, () => 1)).toBe(RECONNECT_WAIT_MS_MAX);
  expect(reconnectWaitMs(3, () => 0)).toBeLessThan(reconnectWaitMs(3, () => 1));
});
