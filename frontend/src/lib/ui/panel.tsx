import { type ReactNode, useId } from "react";

interface Props {
  title: string;
  /** Kept for screen readers where the content names itself. */
  titleHidden?: boolean;
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
  id?: string;
}

/** A room of the desk. */
export function Panel({ title, titleHidden = false, actions, children, className = "", id }: Props) {
  const titleId = useId();
  return (
    <section
      id={id}
      aria-labelledby={titleId}
      className={`flex min-w-0 flex-col rounded-lg border border-line bg-panel ${className}`}
    >
      <header className={titleHidden ? "sr-only" : "flex min-h-10 items-center justify-between gap-2 px-3"}>
        <h2 id={titleId} className="font-semibold text-[13px]">
          {title}
        </h2>
        {actions}
      </header>
      {children}
    </section>
  );
}

export function Empty({ children }: { children: ReactNode }) {
  return <p className="mx-auto max-w-md px-4 py-8 text-center text-soft text-sm">{children}</p>;
}
