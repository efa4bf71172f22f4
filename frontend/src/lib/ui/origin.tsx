import { type ReactNode, useRef, useState } from "react";
import { Popover } from "./popover";

interface Props {
  /** What the figure is; it heads the window. */
  label: string;
  /** How it is counted, in a sentence. */
  rule: string;
  /** The numbers that it is counted from; made only while they are looked at. */
  numbers?: () => ReactNode;
  /** The figure itself. */
  children: ReactNode;
}

/** A figure that opens to the way it came about: with the pointer, a finger or Enter; Escape closes. */
export function Origin({ label, rule, numbers, children }: Props) {
  const [open, setOpen] = useState(false);
  const figure = useRef<HTMLButtonElement>(null);
  return (
    <>
      <button
        ref={figure}
        type="button"
        aria-haspopup="dialog"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="text-inherit underline decoration-soft/50 decoration-dotted underline-offset-4 hover:decoration-current"
      >
        {children}
      </button>
      {open && (
        <Popover anchor={figure} title={label} onClose={() => setOpen(false)}>
          <p className="mt-1 text-soft">{rule}</p>
          <div className="mt-2 space-y-1.5">{numbers?.()}</div>
        </Popover>
      )}
    </>
  );
}
