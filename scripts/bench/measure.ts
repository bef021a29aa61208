/** Requirement of a figure, and whether the figure meets it. */
export interface Required {
  readonly text: string;
  readonly ok: boolean;
}

/** One row of the table. */
export interface Row {
  readonly measure: string;
  readonly value: string;
  /** The number in `value`, without its unit. */
  readonly number: number | undefined;
  readonly required?: Required;
}

export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5);
}

/** Quantile by the nearest rank. The median of an even count is the mean of the two middle numbers. NaN for no numbers. */
export function quantile(numbers: readonly number[], q: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (rank: number) => sorted[Math.min(sorted.length, Math.max(1, rank)) - 1] ?? Number.NaN;
  if (q === 0.5) return (at(Math.ceil(sorted.length / 2)) + at(Math.floor(sorted.length / 2) + 1)) / 2;
  return at(Math.ceil(sorted.length * q));
}

export function row(measure: string, number: number, unit: string, digits: number, required?: Required): Row {
  const value = `${number.toFixed(digits)} ${unit}`.trimEnd();
  return { measure, value, number: Number(number.toFixed(6)), ...(required && { required }) };
}

export function atMost(number: number, limit: number, unit: string): Required {
  return { text: `< ${limit} ${unit}`.trimEnd(), ok: number < limit };
}

export function atLeast(number: number, limit: number, text: string): Required {
  return { text, ok: number >= limit };
}
