/** Largest backoff, as a multiple of the first one. */
const LONGEST = 100;

/**
 * Seconds from the end of a failed attempt until the next attempt. The backoff doubles with each failure.
 *
 * @param failed number of failed attempts
 * @param first seconds after the first failure
 */
export function backoffAfter(failed: number, first: number): number {
  return failed === 0 ? 0 : first * Math.min(2 ** (failed - 1), LONGEST);
}
