/** The backoff doubles up to so many times the first one. */
const LONGEST = 100;

/** Seconds between the end of the last of so many failed attempts and the next. @param first after the first one */
export function backoffAfter(failed: number, first: number): number {
  return failed === 0 ? 0 : first * Math.min(2 ** (failed - 1), LONGEST);
}
