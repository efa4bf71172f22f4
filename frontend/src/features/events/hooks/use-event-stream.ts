import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useEventsStatus } from "@/lib/events-status";
import { forgetFills } from "@/lib/fills";
import { EVENTS_FIRST_WAIT_MS } from "@/lib/limits";
import { forgetOrders } from "@/lib/order-lists";
import { applyEvent } from "../api/apply";
import type { ServerSentEvent } from "../api/sse";
import { readEvents } from "../api/stream";

/** Keeps the page up to the server's events for as long as somebody is signed in. */
export function useEventStream(userId: string): void {
  const queries = useQueryClient();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another user's stream is another stream
  useEffect(() => {
    const { setState, getState } = useEventsStatus;
    const firstWait = setTimeout(() => setState({ ready: true }), EVENTS_FIRST_WAIT_MS);
    const receive = (event: ServerSentEvent) => {
      // Rooms that loaded before the stream stood may have missed something in between.
      if (event.event === "hello" && getState().ready) void queries.invalidateQueries();
      setState({ ready: true });
      applyEvent(queries, event);
    };
    const stop = readEvents({
      onOpen: () => setState({ status: "open" }),
      onEvent: receive,
      onBreak: () => setState({ status: "reconnecting", ready: true }),
    });
    return () => {
      clearTimeout(firstWait);
      stop();
      setState({ status: "connecting", ready: false });
      forgetOrders();
      forgetFills();
    };
  }, [userId, queries]);
}
