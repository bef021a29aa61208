/** Duration of a worker's jobs, in seconds: the moving average and the standard deviation. */
export interface Pace {
  readonly mean: number;
  readonly spread: number;
}

/** Weight of the latest job in the average. */
const WEIGHT = 0.2;

/** The pace after one more job. After the first job the deviation is unknown, so fjord assumes that it is as long as the job. */
export function paceAfter({ mean, spread }: Pace, seconds: number): Pace {
  if (mean === 0) return { mean: seconds, spread: seconds };
  const far = seconds - mean;
  return {
    mean: mean + WEIGHT * far,
    spread: Math.sqrt((1 - WEIGHT) * (spread ** 2 + WEIGHT * far ** 2)),
  };
}

/** Whether jobs take about the same time, so that the pace tells how long the next job will take. */
export function isSteady({ mean, spread }: Pace): boolean {
  return spread <= mean * 1.01; // the announcement holds rounded values
}
