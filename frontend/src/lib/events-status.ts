import { create } from "zustand";

/** Whether news of orders and money can arrive. */
export type EventsStatus = "connecting" | "open" | "reconnecting";

interface State {
  status: EventsStatus;
  /**
   * Whether the rooms may load. They wait for the stream's first word, so that nothing can happen between their
   * answer and the first event; without a stream they load after a short while.
   */
  ready: boolean;
}

export const useEventsStatus = create<State>(() => ({ status: "connecting", ready: false }));

export function useEventsReady(): boolean {
  return useEventsStatus((state) => state.ready);
}
