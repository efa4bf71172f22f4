import { useId } from "react";

interface Option<Value extends string> {
  value: Value;
  label: string;
  /** Classes of the chosen option, in place of the usual ones. */
  chosenLook?: string;
}

interface Props<Value extends string> {
  legend: string;
  options: readonly Option<Value>[];
  value: Value;
  onChange: (value: Value) => void;
  legendHidden?: boolean;
  size?: "normal" | "small";
}

/** A choice among few, as radio buttons that look like one bar: arrow keys move, a label names the group. */
export function Segmented<Value extends string>(props: Props<Value>) {
  const name = useId();
  const size = props.size === "small" ? "h-6 px-2 text-xs" : "h-8 px-2";
  return (
    <fieldset className="min-w-0">
      <legend className={props.legendHidden ? "sr-only" : "mb-1 text-soft text-xs"}>{props.legend}</legend>
      <div className="flex rounded-md border border-line bg-raised p-0.5">
        {props.options.map((option) => (
          <label
            key={option.value}
            className={`flex flex-1 cursor-pointer items-center justify-center whitespace-nowrap rounded-[5px] has-focus-visible:outline-2 has-focus-visible:outline-accent ${size} ${
              option.value === props.value
                ? (option.chosenLook ?? "bg-panel font-medium shadow-sm")
                : "text-soft hover:text-text"
            }`}
          >
            <input
              type="radio"
              name={name}
              className="sr-only"
              checked={option.value === props.value}
              onChange={() => props.onChange(option.value)}
            />
            {option.label}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
