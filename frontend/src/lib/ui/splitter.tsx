import { type KeyboardEvent, type PointerEvent, useRef } from "react";

const KEY_STEP_PIXELS = 16;

interface Props {
  label: string;
  /** `column` stands between columns and moves sideways. */
  between: "column" | "row";
  /** Size of the part that it belongs to, in pixels. */
  value: number;
  min: number;
  max: number;
  /** 1 where the part grows with a move to the right or down, −1 where it shrinks. */
  direction: 1 | -1;
  onChange: (value: number) => void;
  onReset: () => void;
  className?: string;
}

/** A line between two parts of the page that can be taken and moved, also with the arrow keys; a double click resets it. */
export function Splitter({
  label,
  between,
  value,
  min,
  max,
  direction,
  onChange,
  onReset,
  className = "",
}: Props) {
  const start = useRef<{ at: number; value: number } | null>(null);
  const place = (event: PointerEvent) => (between === "column" ? event.clientX : event.clientY);
  const set = (next: number) => onChange(Math.round(Math.min(max, Math.max(min, next))));
  const onKeyDown = (event: KeyboardEvent) => {
    const [less, more] = between === "column" ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
    const step = event.key === more ? KEY_STEP_PIXELS : event.key === less ? -KEY_STEP_PIXELS : 0;
    if (step === 0) return;
    event.preventDefault();
    set(value + step * direction);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a separator that moves is no rule
    <div
      role="separator"
      tabIndex={0}
      aria-label={label}
      aria-orientation={between === "column" ? "vertical" : "horizontal"}
      aria-valuenow={value}
      aria-valuemin={min}
      aria-valuemax={max}
      className={`touch-none rounded hover:bg-accent/30 focus-visible:bg-accent/30 ${between === "column" ? "w-2 cursor-col-resize" : "h-2 cursor-row-resize"} ${className}`}
      onKeyDown={onKeyDown}
      onDoubleClick={onReset}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        start.current = { at: place(event), value };
      }}
      onPointerMove={(event) => {
        if (start.current !== null) set(start.current.value + (place(event) - start.current.at) * direction);
      }}
      onPointerUp={() => {
        start.current = null;
      }}
      onPointerCancel={() => {
        start.current = null;
      }}
    />
  );
}
