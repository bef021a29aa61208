import { type AttemptRecord, type Cancellation, type JobHistory, readHistory } from "../ledger/attempts.js";
import { factsIfThere } from "../store/file-facts.js";
import type { Site } from "../store/site.js";
import type { Store } from "../store/store.js";
import { arrayOfNumbers } from "./numbers.js";
import { endStateOf, type JobPlace, type JobState } from "./places.js";

/** Facts about a job from the ledgers. */
interface Past {
  /** The attempts, in the order of their numbers. */
  readonly attempts: readonly AttemptRecord[];
  /** Why the job's file was refused, if this is why the job failed. */
  readonly refused?: string;
  /** Why the job was cancelled, if it was cancelled while it waited. */
  readonly cancelled?: string;
}

/** Everything that is known about a job: where it is, and what the ledgers record. */
export type JobRecord = JobPlace & Past;

/** Reads what the ledgers record about jobs. */
export async function readRecords(site: Site, places: readonly JobPlace[]): Promise<JobRecord[]> {
  const history = await readHistory(site, isToldOf(places));
  const records: JobRecord[] = [];
  for (const place of places) records.push(await recordOf(site.store, place, history));
  return records;
}

export async function recordOf(store: Store, place: JobPlace, history: JobHistory): Promise<JobRecord> {
  const attempts = await attemptsOfPlace(store, place, history);
  return {
    ...place,
    ...pastOf(place.state, attempts, history.refusals.get(place.job), cancellationOf(place, history)),
  };
}

/** Facts from the ledgers about the last job of a name, whatever directory its file is in. */
export function lastRecordOf({ job, state }: Pick<JobPlace, "job" | "state">, history: JobHistory): Past {
  const attempts = lastLife(history.attempts.get(job) ?? []);
  return pastOf(state, attempts, history.refusals.get(job), history.cancellations.get(job));
}

/** The attempts of the job at a place, without those of earlier jobs with the same name. */
export async function attemptsOfPlace(
  store: Store,
  { job, state, path }: JobPlace,
  history: JobHistory,
): Promise<readonly AttemptRecord[]> {
  const all = history.attempts.get(job) ?? [];
  const own = lastLife(all);
  // Most names have had only one job, which lies in the directory that its last attempt names. For these jobs there is no need to
  // look at the file.
  const isWhereTold =
    endStateOf(own.at(-1)?.to) === state && !history.refusals.has(job) && !history.cancellations.has(job);
  if (all.length === 0 || (own.length === all.length && isWhereTold)) return own;
  const facts = await factsIfThere(store, path);
  return facts === undefined ? own : history.attemptsOf(job, facts);
}

function lastLife(attempts: readonly AttemptRecord[]): readonly AttemptRecord[] {
  const life = attempts.at(-1)?.life;
  return attempts.filter((one) => one.life === life);
}

function pastOf(
  state: JobState,
  attempts: readonly AttemptRecord[],
  refusal: { readonly t: string; readonly reason: string } | undefined,
  cancellation: Cancellation | undefined,
): Past {
  const start = attempts.at(-1)?.start ?? "";
  return {
    attempts,
    ...(state === "failed" && refusal !== undefined && start < refusal.t && { refused: refusal.reason }),
    ...(state === "cancelled" &&
      cancellation !== undefined &&
      start < cancellation.t && { cancelled: cancellation.reason }),
  };
}

/**
 * Returns a function that tells whether a name in the ledgers belongs to these places. For numbers of an array, all names of
 * numbers of the array belong to them.
 */
export function isToldOf(places: readonly JobPlace[]): (name: string) => boolean {
  const names = new Set(places.map(({ job }) => job));
  const arrays = new Set(places.flatMap((place) => (place.kind === "numbers" ? place.numbers.array : [])));
  return (name) => names.has(name) || arrays.has(arrayOfNumbers(name) ?? name);
}

/** The last cancellation of a job. Many numbers of an array are cancelled together, under one name. */
export function cancellationOf(place: JobPlace, { cancellations }: JobHistory): Cancellation | undefined {
  if (place.kind === "job") return cancellations.get(place.job);
  const { array } = place.numbers;
  let last: Cancellation | undefined;
  for (const [name, one] of cancellations) {
    const isOf = name === array || arrayOfNumbers(name) === array || name === place.job;
    if (isOf && (last === undefined || last.t < one.t)) last = one;
  }
  return last;
}
