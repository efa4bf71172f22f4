/** The page's colours as the browser has resolved them for light or dark: a canvas knows no variables. */
export interface ChartColours {
  up: string;
  down: string;
  text: string;
  line: string;
  ground: string;
  accent: string;
  warn: string;
  blue: string;
}

export function readColours(): ChartColours {
  const probe = document.body.appendChild(document.createElement("span"));
  const of = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const colours = {
    up: of("--up"),
    down: of("--down"),
    text: of("--soft"),
    line: of("--line"),
    ground: of("--panel"),
    accent: of("--accent"),
    warn: of("--warn"),
    blue: of("--blue"),
  };
  probe.remove();
  return colours;
}

/** A third of a colour's strength: volumes stand behind the candles. */
export function faint(colour: string): string {
  return colour.replace("rgb(", "rgba(").replace(")", ", 0.34)");
}
