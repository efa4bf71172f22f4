import { create } from "zustand";
import type { Side } from "@/lib/api/types";

/** What another part of the page asks the ticket of a symbol for. */
export interface TicketWish {
  symbol: string;
  /** A price that was pointed at, for the limit. */
  price?: string;
  side?: Side;
  quantity?: string;
}

/** Waits until the ticket of its symbol takes it, which may be shown only then. */
export const useTicketWish = create<{ wish: TicketWish | null }>(() => ({ wish: null }));

export function askTicket(wish: TicketWish): void {
  useTicketWish.setState({ wish });
}
