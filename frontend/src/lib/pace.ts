/** How much what was measured last counts beside what was known. */
const NEWEST_WEIGHT = 0.3;

interface Limits {
  /** The part of the page's time that the work may take. */
  share: number;
  waitMsMin: number;
  waitMsMax: number;
}

/** How often something may be drawn: often where drawing is cheap, less often where it would keep the page busy. */
export class Pace {
  #costMs: number | null = null;

  constructor(private readonly limits: Limits) {}

  /** Takes how long the work has taken this time. */
  took(milliseconds: number): void {
    const before = this.#costMs ?? milliseconds;
    this.#costMs = before + NEWEST_WEIGHT * (milliseconds - before);
  }

  /** How long to wait until the next time. */
  get waitMs(): number {
    const { share, waitMsMin, waitMsMax } = this.limits;
    return Math.min(Math.max((this.#costMs ?? 0) / share, waitMsMin), waitMsMax);
  }
}

/** Does some work that is drawn with the next frame, and tells how long that frame took. */
export function timeFrame(work: () => void, tell: (milliseconds: number) => void): void {
  let began = performance.now();
  requestAnimationFrame(() => {
    began = performance.now();
  });
  work();
  // What the work has asked to draw stands between the two.
  requestAnimationFrame(() => setTimeout(() => tell(performance.now() - began)));
}
