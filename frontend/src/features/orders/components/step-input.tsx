import type { KeyboardEvent, ReactNode, Ref } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/lib/ui/button";
import { Field } from "@/lib/ui/field";

interface Props {
  label: string;
  inputMode: "numeric" | "decimal";
  value: string;
  onChange: (value: string) => void;
  /** Called for the buttons and for the arrow keys. */
  onStep: (direction: 1 | -1) => void;
  error: string | undefined;
  hint?: ReactNode;
  inputRef?: Ref<HTMLInputElement>;
}

/** A number field that moves by steps: buttons beside it, arrow keys inside it. */
export function StepInput({ label, inputMode, value, onChange, onStep, error, hint, inputRef }: Props) {
  const { t } = useTranslation();
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    event.preventDefault();
    onStep(event.key === "ArrowUp" ? 1 : -1);
  };
  return (
    <Field
      label={label}
      inputMode={inputMode}
      autoComplete="off"
      value={value}
      onChange={(event) => onChange(event.target.value)}
      onKeyDown={onKeyDown}
      error={error}
      hint={hint}
      {...(inputRef !== undefined && { inputRef })}
      after={
        <>
          <Button
            className="w-9 shrink-0"
            tabIndex={-1}
            aria-label={`${label}: ${t("ticket.stepDown")}`}
            onClick={() => onStep(-1)}
          >
            <span aria-hidden="true">−</span>
          </Button>
          <Button
            className="w-9 shrink-0"
            tabIndex={-1}
            aria-label={`${label}: ${t("ticket.stepUp")}`}
            onClick={() => onStep(1)}
          >
            <span aria-hidden="true">+</span>
          </Button>
        </>
      }
    />
  );
}
