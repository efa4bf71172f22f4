import type { ButtonHTMLAttributes, Ref } from "react";

type Look = "primary" | "plain" | "quiet" | "buy" | "sell" | "danger";

const LOOKS: Record<Look, string> = {
  primary: "bg-accent text-accent-text font-medium hover:brightness-110 border-transparent",
  plain: "bg-panel border-line hover:bg-raised",
  quiet: "border-transparent text-soft hover:bg-raised hover:text-text",
  buy: "bg-up-fill text-white font-semibold border-transparent hover:brightness-110",
  sell: "bg-down-fill text-white font-semibold border-transparent hover:brightness-110",
  // Not the colour of a fall, which is blue where its reader wants that.
  danger: "bg-bad text-panel font-semibold border-transparent hover:brightness-110",
};

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: Look;
  size?: "normal" | "small" | "large";
  ref?: Ref<HTMLButtonElement>;
}

const SIZES = { small: "h-7 px-2 text-xs", normal: "h-9 px-3", large: "h-11 px-4 text-[15px]" };

export function Button({ look = "plain", size = "normal", className = "", type = "button", ...rest }: Props) {
  return (
    <button
      {...rest}
      type={type}
      className={`inline-flex items-center justify-center gap-1.5 whitespace-nowrap rounded-md border transition-[filter,background-color] motion-reduce:transition-none disabled:cursor-not-allowed disabled:opacity-55 ${SIZES[size]} ${LOOKS[look]} ${className}`}
    />
  );
}
