/** Job file of a job that prints the time of its start. The `#` hides the path of the job file, which fjord appends. */
export const CLOCK_JOB = "[control]\nexecutable = date +%s%N #\n";

/** The time in ms since 1970, with fractions. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

/** Reads the time that the job has printed, in ms since 1970. */
export function printed(text: string): number {
  return Number(text.trim()) / 1e6;
}
