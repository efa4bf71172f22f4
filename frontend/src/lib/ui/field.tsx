import { type InputHTMLAttributes, type ReactNode, type Ref, type SelectHTMLAttributes, useId } from "react";

export const INPUT_LOOK =
  "h-9 w-full min-w-0 rounded-md border border-line bg-panel px-2.5 text-text placeholder:text-soft/70 aria-invalid:border-bad disabled:opacity-60";

interface Shared {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
}

interface FieldProps extends Shared, InputHTMLAttributes<HTMLInputElement> {
  /** Shown inside the field's row, behind the input. */
  after?: ReactNode;
  inputRef?: Ref<HTMLInputElement>;
}

/** An input with its label, its hint, and what was wrong with it. */
export function Field({ label, hint, error, after, inputRef, className = "", ...input }: FieldProps) {
  const id = useId();
  const noteId = `${id}-note`;
  const note = error ?? hint;
  return (
    <div className={className}>
      <label htmlFor={id} className="mb-1 block text-soft text-xs">
        {label}
      </label>
      <div className="flex gap-1">
        <input
          {...input}
          ref={inputRef}
          id={id}
          aria-invalid={error !== undefined}
          aria-describedby={note === undefined ? undefined : noteId}
          className={`${INPUT_LOOK} ${input.inputMode ? "text-right" : ""}`}
        />
        {after}
      </div>
      {note !== undefined && (
        <p id={noteId} className={`mt-1 text-xs ${error === undefined ? "text-soft" : "text-bad"}`}>
          {note}
        </p>
      )}
    </div>
  );
}

interface SelectProps extends Shared, SelectHTMLAttributes<HTMLSelectElement> {}

export function Select({ label, hint, error, className = "", children, ...select }: SelectProps) {
  const id = useId();
  const note = error ?? hint;
  return (
    <div className={className}>
      <label htmlFor={id} className="mb-1 block text-soft text-xs">
        {label}
      </label>
      <select {...select} id={id} className={INPUT_LOOK}>
        {children}
      </select>
      {note !== undefined && <p className="mt-1 text-soft text-xs">{note}</p>}
    </div>
  );
}
