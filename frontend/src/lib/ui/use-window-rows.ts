import { type RefObject, useEffect, useState } from "react";

/** Rows rendered beyond what is seen on either side, so that scrolling meets no gap. */
const OVERSCAN_ROWS = 4;
/** Rows rendered before the height of the place is known. */
const FIRST_ROWS = 30;

export interface WindowRows {
  first: number;
  /** One behind the last. */
  end: number;
  /** Height of the rows that are left out, in pixels. */
  before: number;
  after: number;
}

export function windowOf(count: number, rowHeight: number, scrollTop: number, height: number): WindowRows {
  const first = Math.min(count, Math.max(0, Math.floor(scrollTop / rowHeight) - OVERSCAN_ROWS));
  const end = Math.min(count, Math.ceil((scrollTop + height) / rowHeight) + OVERSCAN_ROWS);
  return {
    first,
    end: Math.max(first, end),
    before: first * rowHeight,
    after: (count - Math.max(first, end)) * rowHeight,
  };
}

/** Which of many rows of one height are to be rendered, by what the scrolling place around them shows. */
export function useWindowRows(
  place: RefObject<HTMLElement | null>,
  count: number,
  rowHeight: number,
): WindowRows {
  const [seen, setSeen] = useState({ top: 0, height: FIRST_ROWS * rowHeight });
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const look = () => setSeen({ top: element.scrollTop, height: element.clientHeight });
    look();
    element.addEventListener("scroll", look, { passive: true });
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => {
      element.removeEventListener("scroll", look);
      observer.disconnect();
    };
  }, [place]);
  return windowOf(count, rowHeight, seen.top, seen.height);
}
