import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { PlaceOrder } from "@/lib/api/types";
import { PREVIEW_DEBOUNCE_MS, PREVIEW_PRICE_INTERVAL_MS } from "@/lib/limits";
import { quotes } from "@/lib/quotes/socket";
import { previewQuery } from "../api/orders";

/**
 * What the order would cost now: asked when typing pauses, and again when the price has moved. Null while there is
 * nothing to estimate.
 */
export function usePreview(order: PlaceOrder | null) {
  const text = order === null ? "" : JSON.stringify(order);
  // What is shown at once was not typed a moment ago: there is nothing to wait for.
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), PREVIEW_DEBOUNCE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const asked = settled === "" ? null : (JSON.parse(settled) as PlaceOrder);
  const preview = useQuery({
    ...previewQuery(asked ?? ({} as PlaceOrder)),
    enabled: asked !== null && text !== "",
    placeholderData: keepPreviousData,
  });
  useRefetchOnPrice(asked?.symbol ?? null, preview.refetch);
  if (text === "") return { estimate: null, failure: null, current: false };
  return {
    estimate: preview.data ?? null,
    failure: preview.error,
    current: settled === text && !preview.isPlaceholderData && preview.isSuccess,
  };
}

/** Asks again after a price change, but not faster than the interval. */
function useRefetchOnPrice(
  symbol: string | null,
  refetch: (options: { cancelRefetch: boolean }) => unknown,
): void {
  useEffect(() => {
    if (symbol === null) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = quotes.subscribe(symbol, () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        // An answer that is under way is waited for: on a slow line none would ever arrive.
        if (!document.hidden) refetch({ cancelRefetch: false });
      }, PREVIEW_PRICE_INTERVAL_MS);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [symbol, refetch]);
}
