/** A small line through numbers, as the data of an SVG path; nothing where there are too few for a line. */
export function sparklinePath(values: readonly number[], width: number, height: number): string {
  if (values.length < 2 || values.some((value) => !Number.isFinite(value))) return "";
  const low = Math.min(...values);
  const span = Math.max(...values) - low;
  const points = values.map((value, index) => {
    const x = (index / (values.length - 1)) * width;
    // What never moves is a line in the middle.
    const y = span === 0 ? height / 2 : height - ((value - low) / span) * height;
    return `${x.toFixed(1)} ${y.toFixed(1)}`;
  });
  return `M${points.join("L")}`;
}
