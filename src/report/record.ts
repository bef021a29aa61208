import { arrayOfNumbers } from "./arrays.js";
import type { AttemptRecord, Cancellation, JobHistory } from "./attempts.js";
import type { JobPlace } from "./jobs.js";

/** What the ledgers tell of a job. */
interface Told {
  /** In the order of their numbers. */
  readonly attempts: readonly AttemptRecord[];
  /** Why its file was refused: there when that is how it came to fail. */
  readonly refused?: string;
  /** Why it was cancelled while it waited: there when that is how it came to be cancelled. */
  readonly cancelled?: string;
}

/** All that is known of a job: where it is, and what the ledgers tell. */
export type JobRecord = JobPlace & Told;

export function recordOf<P extends Pick<JobPlace, "job" | "state" | "numbers">>(
  place: P,
  history: JobHistory,
): P & Told {
  const attempts = history.attempts.get(place.job) ?? [];
  const refusal = history.refusals.get(place.job);
  const last = attempts.at(-1);
  const isRefused =
    place.state === "failed" && refusal !== undefined && (last === undefined || last.start < refusal.t);
  const cancellation = cancellationOf(place, history);
  const isCancelled =
    place.state === "cancelled" &&
    cancellation !== undefined &&
    (last === undefined || last.start < cancellation.t);
  return {
    ...place,
    attempts,
    ...(isRefused && { refused: refusal.reason }),
    ...(isCancelled && { cancelled: cancellation.reason }),
  };
}

/** Which names in the ledgers tell of these places: the jobs' own, and for numbers of an array those of all of its numbers. */
export function isToldOf(places: readonly Pick<JobPlace, "job" | "numbers">[]): (name: string) => boolean {
  const names = new Set(places.map(({ job }) => job));
  const arrays = new Set(places.flatMap(({ numbers }) => numbers?.array ?? []));
  return (name) => names.has(name) || arrays.has(arrayOfNumbers(name) ?? name);
}

/** Why a job was cancelled the last time. Numbers of an array are cancelled many at once. */
export function cancellationOf(
  { job, numbers }: Pick<JobPlace, "job" | "numbers">,
  { cancellations }: JobHistory,
): Cancellation | undefined {
  if (numbers === undefined) return cancellations.get(job);
  let last: Cancellation | undefined;
  for (const [name, one] of cancellations) {
    const isOf = name === numbers.array || arrayOfNumbers(name) === numbers.array || name === job;
    if (isOf && (last === undefined || last.t < one.t)) last = one;
  }
  return last;
}
