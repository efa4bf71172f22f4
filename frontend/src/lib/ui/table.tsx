import type { ReactNode } from "react";

interface Column {
  label: string;
  /** Words stand at the left, numbers at the right. */
  words?: boolean;
  /** Left out where the screen is narrow. */
  wideOnly?: boolean;
  /** Left out already where it is not wide. */
  widestOnly?: boolean;
  /** Stays at the right edge while the table scrolls sideways: what can be done with a row is never out of reach. */
  action?: boolean;
}

const PLACE = "whitespace-nowrap px-3 py-1.5 @max-md:px-1.5";
const AT_EDGE = "sticky right-0 bg-panel group-hover:bg-raised";

type Shape = Pick<Column, "words" | "wideOnly" | "widestOnly" | "action">;

function lookOf({ words, wideOnly, widestOnly, action }: Shape): string {
  const hidden = widestOnly ? "@max-3xl:hidden" : wideOnly ? "@max-xl:hidden" : "";
  return `${PLACE} ${words ? "text-left" : "text-right"} ${hidden} ${action ? AT_EDGE : ""}`;
}

/** A table of figures that scrolls sideways by itself before it breaks the page. */
export function Table({
  label,
  columns,
  children,
}: {
  label: string;
  columns: readonly Column[];
  children: ReactNode;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must scroll by keys as well
    <div tabIndex={0} className="@container overflow-x-auto">
      <table aria-label={label} className="w-full border-collapse text-[13px]">
        <thead>
          <tr className="border-line border-b text-soft text-xs">
            {columns.map(({ label: text, ...shape }) => (
              <th key={text} scope="col" className={lookOf(shape)}>
                {text}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

export function Cell({ children, ...shape }: Shape & { children: ReactNode }) {
  return <td className={lookOf(shape)}>{children}</td>;
}

/** Heads the rows below it, which belong together. */
export function GroupHead({ columns, children }: { columns: number; children: ReactNode }) {
  return (
    <tr className="bg-raised">
      <th scope="colgroup" colSpan={columns} className={`${PLACE} !py-1 text-left text-soft text-xs`}>
        {children}
      </th>
    </tr>
  );
}

export function Row({ children }: { children: ReactNode }) {
  return <tr className="group border-line/60 border-b last:border-0 hover:bg-raised">{children}</tr>;
}
