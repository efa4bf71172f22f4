import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import type { AccountBalance, Balance } from "@/lib/api/types";
import { withBalance } from "@/lib/balances";
import { queryKeys } from "@/lib/query-keys";
import { randomUuid } from "@/lib/random";

/**
 * A movement of cash that is booked once, however often it is sent: its key lives until what is asked for changes. The
 * balances it tells are on the screen at once.
 */
export function useMovement<Wish, Booked>(
  move: (wish: Wish, key: string) => Promise<Booked>,
  balancesOf: (booked: Booked) => readonly Balance[],
  onBooked: (booked: Booked) => void,
) {
  const queries = useQueryClient();
  const key = useRef(randomUuid());
  const moving = useMutation({
    mutationFn: (wish: Wish) => move(wish, key.current),
    onSuccess: (booked) => {
      key.current = randomUuid();
      for (const balance of balancesOf(booked)) {
        const balanceKey = queryKeys.balance(balance.accountId);
        queries.setQueryData<AccountBalance>(balanceKey, (known) => known && withBalance(known, balance));
        void queries.invalidateQueries({ queryKey: balanceKey });
        void queries.invalidateQueries({ queryKey: queryKeys.holdings(balance.accountId) });
        void queries.invalidateQueries({ queryKey: ["statement", balance.accountId] });
      }
      onBooked(booked);
    },
  });
  const change = () => {
    key.current = randomUuid();
    moving.reset();
  };
  return { moving, change };
}
