import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { Account } from "@/lib/api/types";
import { Decimal, plainText } from "@/lib/decimal";
import { problemSentence } from "@/lib/i18n/sentences";
import { FITTING_TRIES_MAX } from "@/lib/limits";
import { quotes } from "@/lib/quotes/socket";
import { showToast } from "@/lib/toasts";
import { previewQuery } from "../api/orders";
import { type Draft, fewerShares, hasLimit, hasStop, readPrice, wishOf } from "./draft";

/** The price at which shares are counted first: what the order names, or the market's. */
function firstPrice(draft: Draft, symbol: string): Decimal | null {
  const quote = quotes.get(symbol);
  // Prices that were typed for another type stay in the draft and are not meant.
  const limit = hasLimit(draft.type) ? readPrice(draft.limitPrice) : null;
  const stop = hasStop(draft.type) ? readPrice(draft.stopPrice) : null;
  return limit ?? stop ?? readPrice(quote?.ask ?? quote?.price ?? "");
}

/**
 * Finds the most whole shares for which an order reserves no more than an amount of money. What an order reserves (its
 * worst price, its fees) only the server knows, so it is asked.
 */
export function useFittingShares(account: Account, symbol: string, draft: Draft) {
  const queries = useQueryClient();
  const finding = useMutation({
    mutationFn: async (target: Decimal): Promise<string> => {
      const price = firstPrice(draft, symbol);
      let quantity = price === null ? new Decimal(0) : target.dividedBy(price).toDecimalPlaces(0, 1);
      for (let tries = 0; tries < FITTING_TRIES_MAX && quantity.greaterThan(0); tries += 1) {
        const sized: Draft = {
          ...draft,
          sizing: "shares",
          exits: false,
          follows: false,
          quantity: plainText(quantity),
        };
        const order = wishOf(sized, account, symbol)?.order;
        if (order === undefined) return "";
        const { held } = await queries.fetchQuery(previewQuery(order));
        if (held == null || !new Decimal(held).greaterThan(target)) break;
        quantity = fewerShares(quantity, new Decimal(held), target);
      }
      return quantity.greaterThan(0) ? plainText(quantity) : "";
    },
    onError: (failure) => showToast({ tone: "bad", title: problemSentence(failure) }),
  });
  return { find: finding.mutate, isFinding: finding.isPending };
}
