import type { ReactNode } from "react";

interface Props {
  label: string;
  wanted: boolean;
  onChange: (wanted: boolean) => void;
  children: ReactNode;
}

/** Fields that are there once somebody wants them. */
export function OptionalFields({ label, wanted, onChange, children }: Props) {
  return (
    <fieldset className="space-y-2">
      <label className="flex items-center gap-2 text-[13px]">
        <input type="checkbox" checked={wanted} onChange={(event) => onChange(event.target.checked)} />
        {label}
      </label>
      {wanted && children}
    </fieldset>
  );
}
