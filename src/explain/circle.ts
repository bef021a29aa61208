/**
 * Finds the shortest way from a job back to itself, where each job waits for the next one.
 *
 * @param namesAfter reads the names of the jobs for which a job waits
 * @returns names from `start` to `start`; undefined when the job does not wait for itself
 */
export async function circleFrom(
  start: string,
  namesAfter: (job: string) => Promise<readonly string[]>,
): Promise<readonly string[] | undefined> {
  /** For each job, the first job that was found to wait for it. */
  const waiters = new Map<string, string>();
  const found = [start];
  for (const job of found) {
    for (const next of await namesAfter(job)) {
      if (waiters.has(next)) continue;
      waiters.set(next, job);
      found.push(next);
    }
    if (waiters.has(start)) break;
  }
  const circle = [start];
  for (let job = waiters.get(start); job !== undefined; job = job === start ? undefined : waiters.get(job)) {
    circle.unshift(job);
  }
  return circle.length > 1 ? circle : undefined;
}
