import { type ReactNode, useState } from "react";

interface Props {
  label: string;
  /** The figure itself. */
  children: ReactNode;
  /** How it is counted, in a sentence. */
  rule: string;
  /** The numbers that it is counted from; made only while they are looked at. */
  numbers?: () => ReactNode;
}

/** A figure that opens to the way it came about. */
export function Figure({ label, rule, numbers, children }: Props) {
  const [open, setOpen] = useState(false);
  return (
    <div className="grid grid-cols-[1fr_auto] items-start gap-x-3 py-1.5">
      <dt className="text-soft">
        <details onToggle={(event) => setOpen(event.currentTarget.open)}>
          <summary className="marker:text-line">{label}</summary>
        </details>
      </dt>
      <dd className="text-right">{children}</dd>
      {open && (
        <dd className="col-span-2 mt-1 mb-1 space-y-1 rounded-md bg-raised p-2 text-xs">
          <p className="text-soft">{rule}</p>
          {numbers?.()}
        </dd>
      )}
    </div>
  );
}

interface SumProps {
  terms: readonly { label: string; amount: ReactNode }[];
  result: ReactNode;
}

/** Amounts one below the other, and what they make. */
export function Sum({ terms, result }: SumProps) {
  return (
    <table className="w-full">
      <tbody>
        {terms.map(({ label, amount }) => (
          <tr key={label}>
            <th scope="row" className="py-0.5 pr-2 text-left font-normal">
              {label}
            </th>
            <td className="whitespace-nowrap text-right">{amount}</td>
          </tr>
        ))}
        <tr className="border-line border-t">
          <th scope="row" className="py-0.5">
            <span className="sr-only">=</span>
          </th>
          <td className="whitespace-nowrap text-right font-medium">{result}</td>
        </tr>
      </tbody>
    </table>
  );
}
