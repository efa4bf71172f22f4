import type { ReactNode } from "react";

interface Column {
  label: string;
  /** Words stand at the left, numbers at the right. */
  words?: boolean;
  /** Left out where the screen is narrow. */
  wideOnly?: boolean;
  /** Stays at the right edge while the table scrolls sideways: what can be done with a row is never out of reach. */
  action?: boolean;
}

const PLACE = "whitespace-nowrap px-3 py-1.5 @max-md:px-1.5";
const AT_EDGE = "sticky right-0 bg-panel";

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
            {columns.map(({ label: text, words, wideOnly, action }) => (
              <th
                key={text}
                scope="col"
                className={`${PLACE} ${words ? "text-left" : "text-right"} ${wideOnly ? "@max-xl:hidden" : ""} ${action ? AT_EDGE : ""}`}
              >
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

interface CellProps {
  children: ReactNode;
  words?: boolean;
  wideOnly?: boolean;
  action?: boolean;
}

export function Cell({ children, words = false, wideOnly = false, action = false }: CellProps) {
  return (
    <td
      className={`${PLACE} ${words ? "text-left" : "text-right"} ${wideOnly ? "@max-xl:hidden" : ""} ${action ? AT_EDGE : ""}`}
    >
      {children}
    </td>
  );
}

export function Row({ children }: { children: ReactNode }) {
  return <tr className="border-line/60 border-b last:border-0 hover:bg-raised">{children}</tr>;
}
