import type { ReactNode } from "react";

export interface SumTerm {
  label: ReactNode;
  amount: ReactNode;
}

interface Props {
  terms: readonly SumTerm[];
  result: ReactNode;
}

/** Amounts one below the other, and what they make. */
export function Sum({ terms, result }: Props) {
  return (
    <table className="w-full">
      <tbody>
        {terms.map(({ label, amount }, place) => (
          <tr
            // biome-ignore lint/suspicious/noArrayIndexKey: two terms may have the same name; nothing of a line is kept
            key={place}
          >
            <th scope="row" className="py-0.5 pr-2 text-left font-normal">
              {label}
            </th>
            <td className="whitespace-nowrap text-right align-top">{amount}</td>
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

/** A formula with the numbers in it. */
export function Formula({ children }: { children: ReactNode }) {
  return <p className="text-right">{children}</p>;
}
