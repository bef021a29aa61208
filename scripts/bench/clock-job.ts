/** The first thing that the job does is to read the clock. What follows the `#` is the job file's path. */
export const CLOCK_JOB = "[control]\nexecutable = date +%s%N #\n";

/** Now, ms since 1970, with fractions. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

/** What the job has printed, ms since 1970. */
export function printed(text: string): number {
  return Number(text.trim()) / 1e6;
}
