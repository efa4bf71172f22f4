import { useTranslation } from "react-i18next";
import type { MarginSwitches } from "../api/margin";

interface Props {
  switches: MarginSwitches;
  disabled?: boolean;
  onChange: (switches: MarginSwitches) => void;
}

/** What an account may do beyond its own money and shares. Short sales need credit: one brings the other along. */
export function MarginChoice({ switches, disabled = false, onChange }: Props) {
  const { t } = useTranslation();
  const { margin, shortSelling } = switches;
  return (
    <>
      <Switch
        label={t("margin.credit")}
        checked={margin}
        disabled={disabled}
        onChange={(credit) => onChange({ margin: credit, shortSelling: credit && shortSelling })}
      />
      <Switch
        label={t("margin.short")}
        checked={shortSelling}
        disabled={disabled}
        onChange={(short) => onChange({ margin: margin || short, shortSelling: short })}
      />
    </>
  );
}

interface SwitchProps {
  label: string;
  checked: boolean;
  disabled: boolean;
  onChange: (checked: boolean) => void;
}

function Switch({ label, checked, disabled, onChange }: SwitchProps) {
  return (
    <label className="flex items-center gap-2 text-[13px]">
      <input
        type="checkbox"
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChange(event.target.checked)}
      />
      {label}
    </label>
  );
}
