/** How long jobs take, in seconds: a moving average, and how far from it they are (standard deviation). */
export interface Pace {
  readonly mean: number;
  readonly spread: number;
}

/** The share of the latest job. */
const WEIGHT = 0.2;

/** After one more job. Of the first one nobody knows how far the others are from it: as far as it is long. */
export function paceAfter({ mean, spread }: Pace, seconds: number): Pace {
  if (mean === 0) return { mean: seconds, spread: seconds };
  const far = seconds - mean;
  return {
    mean: mean + WEIGHT * far,
    spread: Math.sqrt((1 - WEIGHT) * (spread ** 2 + WEIGHT * far ** 2)),
  };
}

/** Whether it tells how long the next jobs will take: jobs that all take about the same, not a few among many short ones. */
export function isSteady({ mean, spread }: Pace): boolean {
  return spread <= mean * 1.01; // as it is rounded on its way
}
