import type { Layout } from "../project/layout.js";
import { arrayOfPlace, sizeOfPlaces } from "../report/arrays.js";
import { type AttemptRecord, type JobHistory, readHistory } from "../report/attempts.js";
import { ENDS, findJobs, type JobPlace } from "../report/jobs.js";
import { listAnnounced } from "../spool/announcement.js";
import { removeArray } from "../spool/arrays.js";
import { removeCheckpoint } from "../spool/checkpoint.js";
import { factsIfThere } from "../spool/file-facts.js";
import { refusalLogOf } from "../spool/refuse.js";
import { storeTime } from "../spool/settling.js";
import { isErrno, type Store } from "../spool/store.js";

export interface CleanOptions {
  /** Only what has lain there for so many seconds, by the store's clock. */
  readonly olderThan: number;
  /** Tell only. */
  readonly dryRun?: boolean;
  /** Also the logs of dispatchers and workers that are gone. */
  readonly daemonLogs?: boolean;
  /** Told after each job how many of how many have been removed. */
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
}

export interface Cleaned {
  readonly jobs: readonly string[];
  /** How many jobs these are: a name may stand for numbers of an array. */
  readonly count: number;
  /** Names in `daemonlogs/`. */
  readonly daemonLogs: readonly string[];
  /** Directories that had been put into the queue, and refused: left, since what is in them is somebody's. */
  readonly left: readonly string[];
}

/**
 * Removes jobs that have ended, with their logs, results and checkpoints, and with the files of earlier jobs of their
 * names. The ledgers stay: they are the history. The job file goes last, so that who is killed in between can begin again.
 */
export async function clean(
  store: Store,
  layout: Layout,
  places: readonly JobPlace[],
  options: CleanOptions,
): Promise<Cleaned> {
  const now = await storeTime(store, layout.jobqueue);
  const left: string[] = [];
  const factsIfOld = async (path: string) => {
    const facts = await factsIfThere(store, path);
    return facts !== undefined && now - facts.ctimeMs >= options.olderThan * 1000 ? facts : undefined;
  };
  const isOld = async (path: string) => (await factsIfOld(path)) !== undefined;
  const old: JobPlace[] = [];
  for (const place of places) {
    // When numbers were cancelled, the array's directory tells: there they were renamed.
    const path = place.numbers === undefined ? place.path : layout.array(place.numbers.array);
    const facts = ENDS.has(place.state) ? await factsIfOld(path) : undefined;
    if (facts === undefined) continue;
    if (place.numbers === undefined && facts.kind === "directory") left.push(path);
    else old.push(place);
  }
  const daemonLogs: string[] = [];
  if (options.daemonLogs === true) {
    const onDuty = new Set(await listAnnounced(store, layout));
    for (const name of await store.list(layout.daemonlogs)) {
      const actor = layout.actorOfDaemonLog(name);
      if (!onDuty.has(actor) && (await isOld(layout.daemonLogFile(name)))) daemonLogs.push(name);
    }
  }
  if (options.dryRun !== true) {
    const names = new Set(old.map(({ job }) => job));
    const history = await readHistory(store, layout, (job) => names.has(job));
    const earlier = await earlierEnds(store, layout, old);
    for (const [i, place] of old.entries()) {
      options.onProgress?.(i + 1, old.length);
      if (place.numbers !== undefined) continue;
      for (const path of earlier.get(place.job) ?? []) if (await isOld(path)) await unlink(store, path);
      await remove(store, layout, place, history);
    }
    await removeArrays(store, layout, old);
    for (const name of daemonLogs) await unlink(store, layout.daemonLogFile(name));
  }
  const count = sizeOfPlaces(old);
  return { jobs: old.map(({ job }) => job), count, daemonLogs, left };
}

/** Where jobs of the same names had ended before these, in other rooms, by job. */
async function earlierEnds(
  store: Store,
  layout: Layout,
  places: readonly JobPlace[],
): Promise<Map<string, string[]>> {
  const lastOf = new Map(places.map(({ job, path }) => [job, path]));
  const earlier = new Map<string, string[]>();
  for (const { job, path, numbers } of await findJobs(store, layout, ENDS)) {
    const last = lastOf.get(job);
    if (last === undefined || last === path || numbers !== undefined) continue;
    const paths = earlier.get(job) ?? [];
    earlier.set(job, paths);
    paths.push(path);
  }
  return earlier;
}

/** Those that are over, and of which nothing is left any more. @param cleaned places that were cleaned */
async function removeArrays(store: Store, layout: Layout, cleaned: readonly JobPlace[]): Promise<void> {
  const arrays = new Set(cleaned.flatMap((place) => arrayOfPlace(place) ?? []));
  if (arrays.size === 0) return;
  for (const found of await findJobs(store, layout)) {
    const { job, numbers } = found;
    const isCleaned = numbers !== undefined && cleaned.some((place) => place.job === job && place.numbers);
    if (!isCleaned) arrays.delete(arrayOfPlace(found) ?? "");
  }
  for (const name of arrays)
    if (await store.has(layout.arrayFile(name))) await removeArray(store, layout, name);
}

async function remove(store: Store, layout: Layout, place: JobPlace, history: JobHistory): Promise<void> {
  const { job, path } = place;
  const attempts = history.attempts.get(job) ?? [];
  for (const { attempt } of attempts) {
    await unlink(store, layout.progressOf(job, attempt));
    await unlink(store, layout.resultOf(job, attempt));
    const log = layout.attemptLog(job, attempt);
    if (isPlain(attempts)) await unlink(store, log);
    else await store.write(log, "").catch(() => undefined);
  }
  await unlink(store, refusalLogOf(layout, place.file));
  await removeCheckpoint(store, layout, job);
  await unlink(store, path);
}

/**
 * Whether the numbers of a job's attempts may be used again. Where there were several, the ledgers tell them apart by their
 * numbers (S9): their logs stay, emptied, so that a job of the same name goes on counting.
 */
function isPlain(attempts: readonly AttemptRecord[]): boolean {
  const [only, ...more] = attempts;
  if (only === undefined) return true;
  const isEnd = only.to === "jobdone" || only.to === "jobfailed" || only.to === "jobcancelled";
  return more.length === 0 && only.attempt === 1 && isEnd && only.outcome?.kind !== "lost";
}

async function unlink(store: Store, path: string): Promise<void> {
  try {
    await store.unlink(path);
  } catch (error) {
    // Too long a name: it has a suffix that left no room for it, so nobody has made it.
    if (!isErrno(error, "ENOENT", "ENAMETOOLONG")) throw error;
  }
}
