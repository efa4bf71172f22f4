/** Figures drawn over or under the prices. They are pictures, so binary numbers do; null where too few bars came before. */
export type Points = (number | null)[];

/** The mean of the last `length` values. */
export function simpleAverage(values: readonly number[], length: number): Points {
  let total = 0;
  return values.map((value, index) => {
    total += value - (index >= length ? (values[index - length] ?? 0) : 0);
    return index + 1 < length ? null : total / length;
  });
}

/** A mean that forgets older values by and by; it begins with the plain mean of the first `length`. */
export function exponentialAverage(values: readonly number[], length: number): Points {
  const weight = 2 / (length + 1);
  let average: number | null = null;
  return values.map((value, index) => {
    if (index + 1 < length) return null;
    if (average === null) average = values.slice(0, length).reduce((sum, one) => sum + one, 0) / length;
    else average += (value - average) * weight;
    return average;
  });
}

export interface Bands {
  middle: Points;
  upper: Points;
  lower: Points;
}

/** Bollinger bands: the mean, and as many standard deviations (of all values, not of a sample) above and below it. */
export function bollinger(values: readonly number[], length = 20, deviations = 2): Bands {
  const middle = simpleAverage(values, length);
  const width = middle.map((mean, index) => {
    if (mean === null) return null;
    const window = values.slice(index + 1 - length, index + 1);
    const variance = window.reduce((sum, value) => sum + (value - mean) ** 2, 0) / length;
    return Math.sqrt(variance) * deviations;
  });
  const shifted = (sign: 1 | -1) =>
    middle.map((mean, index) => (mean === null ? null : mean + sign * (width[index] ?? 0)));
  return { middle, upper: shifted(1), lower: shifted(-1) };
}

/** Wilder's relative strength index, 0 to 100. */
export function relativeStrength(values: readonly number[], length = 14): Points {
  let rise = 0;
  let fall = 0;
  return values.map((value, index) => {
    if (index === 0) return null;
    const change = value - (values[index - 1] ?? value);
    const [up, down] = [Math.max(change, 0), Math.max(-change, 0)];
    if (index <= length) {
      rise += up / length;
      fall += down / length;
      if (index < length) return null;
    } else {
      rise += (up - rise) / length;
      fall += (down - fall) / length;
    }
    if (fall === 0) return rise === 0 ? 50 : 100;
    return 100 - 100 / (1 + rise / fall);
  });
}

export interface Macd {
  line: Points;
  signal: Points;
  /** The line less its signal. */
  histogram: Points;
}

/** Moving average convergence and divergence: the quick average less the slow one, and that line's own average. */
export function macd(values: readonly number[], quick = 12, slow = 26, signalLength = 9): Macd {
  const quickAverage = exponentialAverage(values, quick);
  const slowAverage = exponentialAverage(values, slow);
  const line = values.map((_, index) => difference(quickAverage[index], slowAverage[index]));
  const known = line.filter((value): value is number => value !== null);
  const missing = line.length - known.length;
  const signal = [...Array<null>(missing).fill(null), ...exponentialAverage(known, signalLength)];
  return { line, signal, histogram: line.map((value, index) => difference(value, signal[index])) };
}

function difference(left: number | null | undefined, right: number | null | undefined): number | null {
  return left == null || right == null ? null : left - right;
}
