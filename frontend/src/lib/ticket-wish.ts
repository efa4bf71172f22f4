import { create } from "zustand";

interface TicketWish {
  /** A price that was pointed at elsewhere, for the limit of the ticket. */
  price: string | null;
  /** Counts the wishes: the same price may be pointed at twice. */
  count: number;
}

/** What other parts of the desk ask the ticket for. */
export const useTicketWish = create<TicketWish>(() => ({ price: null, count: 0 }));

export function askForPrice(price: string): void {
  useTicketWish.setState(({ count }) => ({ price, count: count + 1 }));
}
