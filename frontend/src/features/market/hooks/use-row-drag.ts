import { type KeyboardEvent, type PointerEvent, useState } from "react";

/** The row over which a pointer stands that has moved so far down from where it began. */
export function rowUnder(index: number, movedPixels: number, rowHeight: number): number {
  return index + Math.round(movedPixels / rowHeight);
}

/** Moves a row of a list by its handle: with a pointer or a finger, or with the arrow keys. */
export function useRowDrag(move: (to: number) => void, index: number, rowHeight: number) {
  const [start, setStart] = useState<{ y: number; index: number } | null>(null);
  const follow = (event: PointerEvent) => {
    if (start !== null) move(rowUnder(start.index, event.clientY - start.y, rowHeight));
  };
  const handle = {
    onPointerDown: (event: PointerEvent) => {
      event.currentTarget.setPointerCapture(event.pointerId);
      setStart({ y: event.clientY, index });
    },
    onPointerMove: follow,
    onPointerUp: () => setStart(null),
    onPointerCancel: () => setStart(null),
    onKeyDown: (event: KeyboardEvent) => {
      const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
      if (step === 0) return;
      event.preventDefault();
      move(index + step);
    },
  };
  return { dragging: start !== null, handle };
}
