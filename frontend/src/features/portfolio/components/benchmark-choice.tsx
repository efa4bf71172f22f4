import { useTranslation } from "react-i18next";

interface Props {
  value: string | null;
  choices: readonly { symbol: string; name: string }[];
  onChange: (symbol: string | null) => void;
}

/** With which share the account is compared. */
export function BenchmarkChoice({ value, choices, onChange }: Props) {
  const { t } = useTranslation();
  return (
    <label className="flex min-w-0 items-center gap-1.5 text-soft text-xs">
      {t("performance.benchmark")}
      <select
        value={value ?? ""}
        onChange={(event) => onChange(event.target.value === "" ? null : event.target.value)}
        className="h-7 min-w-0 max-w-44 rounded-md border border-line bg-panel px-1.5 text-text text-xs"
      >
        <option value="">{t("performance.noBenchmark")}</option>
        {choices.map(({ symbol, name }) => (
          <option key={symbol} value={symbol}>
            {name === "" ? symbol : `${symbol} · ${name}`}
          </option>
        ))}
      </select>
    </label>
  );
}
