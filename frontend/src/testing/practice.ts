import { afterEach, beforeEach, vi } from "vitest";
import type { Account } from "@/lib/api/types";
import { useEventsStatus } from "@/lib/events-status";

/** An account with play money. */
export const practice: Account = {
  id: "018f0000-0000-7000-8000-000000000001",
  name: "Practice",
  broker: "simulator",
  currency: "USD",
  status: "active",
  costMethod: "average",
  createdAt: "2026-11-20T15:00:00Z",
};

/** In each test of a file the page hears of news, and the browser has time at once for what can wait. */
export function hearNewsInEachTest() {
  beforeEach(() => {
    useEventsStatus.setState({ ready: true });
    vi.stubGlobal("requestIdleCallback", (done: () => void) => setTimeout(done));
    vi.stubGlobal("cancelIdleCallback", clearTimeout);
  });
  afterEach(() => useEventsStatus.setState({ ready: false }));
}
