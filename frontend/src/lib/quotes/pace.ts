import { SHOWN_INTERVAL_MS } from "@/lib/limits";

const waiting = new Set<() => void>();
let planned = false;
let shownAt = 0;

/**
 * Runs work when prices are shown next: with a frame, all of it together, and not more often than somebody can see. The
 * browser then draws once for all that has changed.
 */
export function whenShownNext(work: () => void): void {
  waiting.add(work);
  if (planned) return;
  planned = true;
  const waitMs = shownAt + SHOWN_INTERVAL_MS - performance.now();
  if (waitMs > 0) setTimeout(() => requestAnimationFrame(show), waitMs);
  else requestAnimationFrame(show);
}

function show(): void {
  planned = false;
  shownAt = performance.now();
  const all = [...waiting];
  waiting.clear();
  for (const work of all) work();
}
