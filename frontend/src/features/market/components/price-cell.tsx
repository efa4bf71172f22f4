import { type RefObject, useLayoutEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { DIRECTION_CLASS, directionOf, formatPercent, formatPrice } from "@/lib/format";
import { SHOWN_INTERVAL_MS } from "@/lib/limits";
import type { LiveQuote } from "@/lib/quotes/quote";
import { quotes, useQuotesStatus } from "@/lib/quotes/socket";
import { usePresence } from "@/lib/quotes/use-quote";

/** A symbol's price of now and its change, which flash in the direction in which they move. */
export function PriceCell({ symbol }: { symbol: string }) {
  const { t } = useTranslation();
  const isKnown = usePresence(quotes, symbol);
  if (!isKnown) return <span className="text-soft text-xs">{t("market.noPrice")}</span>;
  return <LivePrice symbol={symbol} />;
}

/**
 * Prices are written into the cell without React: a watchlist changes hundreds of times a second, and what is left then is
 * the price of drawing the digits.
 */
function LivePrice({ symbol }: { symbol: string }) {
  const stale = useQuotesStatus((state) => state.status !== "open");
  const price = useRef<HTMLSpanElement>(null);
  const change = useRef<HTMLSpanElement>(null);
  const shine = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    let last: string | undefined;
    const draw = () => {
      const quote = quotes.get(symbol);
      if (quote === undefined) return;
      write(price, formatPrice(quote.price, quote.currency));
      drawChange(change, quote);
      if (last !== undefined && last !== quote.price)
        flash(shine.current, Number(quote.price) > Number(last));
      last = quote.price;
    };
    draw();
    return quotes.subscribe(symbol, draw);
  }, [symbol]);
  return (
    <span className={`shrink-0 text-right contain-content ${stale ? "opacity-45" : ""}`}>
      <span className="relative block px-1 font-medium" data-testid={`price-${symbol}`}>
        <span ref={shine} aria-hidden="true" className="absolute inset-0 rounded" />
        <span ref={price} />
      </span>
      <span ref={change} className="block px-1 text-xs" />
    </span>
  );
}

/** Writes a text where it differs: nothing is drawn anew for what has stayed, and no part of the page is made anew. */
function write({ current: place }: RefObject<HTMLElement | null>, text: string): void {
  const known = place?.firstChild;
  if (known instanceof Text) {
    if (known.data !== text) known.data = text;
  } else if (place !== null) place.textContent = text;
}

const DIRECTION_CLASSES = Object.values(DIRECTION_CLASS);

function drawChange(place: RefObject<HTMLElement | null>, { changePercent }: LiveQuote): void {
  write(place, changePercent === null ? "–" : formatPercent(changePercent));
  const look = DIRECTION_CLASS[directionOf(changePercent)];
  if (place.current === null || place.current.classList.contains(look)) return;
  place.current.classList.remove(...DIRECTION_CLASSES);
  place.current.classList.add(look);
}

/** How long a cell stays lit, at least, and how long it rests: a price that changes all the time would only glow. */
const LIT_MS = 350;
const REST_MS = 1_400;
const CALM = "(prefers-reduced-motion: reduce)";
const LOOKS = { up: "bg-up/20", down: "bg-down/20" } as const;
let calm: MediaQueryList | undefined;
/** Cells that are lit, and until when. */
const lit = new Map<HTMLElement, number>();
const restUntil = new WeakMap<HTMLElement, number>();

/**
 * Lights a cell in the direction of the change. It is lit and dark again with nothing in between, and cells are made dark
 * together: a colour that fades would have the browser draw every one of its pictures anew.
 */
function flash(shine: HTMLElement | null, rises: boolean): void {
  const now = performance.now();
  calm ??= window.matchMedia(CALM);
  if (shine === null || calm.matches || now < (restUntil.get(shine) ?? 0)) return;
  restUntil.set(shine, now + LIT_MS + REST_MS);
  shine.classList.add(rises ? LOOKS.up : LOOKS.down);
  if (lit.size === 0) setTimeout(darken, LIT_MS);
  lit.set(shine, now + LIT_MS);
}

function darken(): void {
  const now = performance.now();
  for (const [shine, until] of lit) {
    if (now < until) continue;
    shine.classList.remove(LOOKS.up, LOOKS.down);
    lit.delete(shine);
  }
  if (lit.size > 0) setTimeout(darken, SHOWN_INTERVAL_MS);
}
