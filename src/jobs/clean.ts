import { type JobHistory, readHistory } from "../ledger/attempts.js";
import { actorOfDaemonLog } from "../project/entry-names.js";
import { listAnnounced } from "../spool/announcement.js";
import { removeArray } from "../spool/arrays.js";
import { removeCheckpoint } from "../spool/checkpoint.js";
import { stampAt } from "../spool/finish.js";
import { refusalLogOf } from "../spool/refuse.js";
import { storeTime } from "../spool/settling.js";
import { factsIfThere } from "../store/file-facts.js";
import type { Site } from "../store/site.js";
import { stampOf } from "../store/stamp.js";
import { type FileFacts, isErrno, type Store } from "../store/store.js";
import { findJobs } from "./find.js";
import { arrayOfPlace, sizeOfPlaces } from "./numbers.js";
import { END_STATES, isEnd, isNumbers, type JobPlace, type SinglePlace } from "./places.js";

export interface CleanOptions {
  /**
   * Smallest age in seconds, by the store's clock, of jobs and logs to remove. It counts from the end of a job, or from the last
   * change of a log.
   */
  readonly olderThan: number;
  /** Whether to report only what would be done. */
  readonly dryRun?: boolean;
  /** Whether to remove also the logs of dispatchers and workers that have ended. */
  readonly daemonLogs?: boolean;
  /** Called after each job with the number of jobs that are done, and the number of all jobs. */
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
}

export interface Cleaned {
  readonly jobs: readonly string[];
  /** Number of jobs. One name may stand for many numbers of an array. */
  readonly count: number;
  /** Names of the removed files in `daemonlogs/`. */
  readonly daemonLogs: readonly string[];
  /**
   * Paths of refused directories that users had put into the queue. fjord does not remove them, because they are not its own
   * files.
   */
  readonly left: readonly string[];
}

/** Returns the facts of a file that is older than a limit; undefined for a younger file or a missing one. */
type FactsIfOld = (path: string) => Promise<FileFacts | undefined>;

/** Jobs and files that are old enough to be removed. */
interface Old {
  /** Jobs with files of their own, and the stamps of these files. */
  readonly jobs: ReadonlyMap<SinglePlace, string>;
  readonly places: readonly JobPlace[];
  readonly left: readonly string[];
}

/**
 * Removes jobs that have ended, with their logs, results and checkpoints, and with the files of earlier jobs with the same names.
 * The ledgers stay, because they are the history.
 */
export async function clean(
  site: Site,
  places: readonly JobPlace[],
  options: CleanOptions,
): Promise<Cleaned> {
  const { store, layout } = site;
  const now = await storeTime(store, layout.jobqueue);
  const factsIfOld: FactsIfOld = async (path) => {
    const facts = await factsIfThere(store, path);
    return facts !== undefined && now - facts.ctimeMs >= options.olderThan * 1000 ? facts : undefined;
  };
  const old = await findOld(site, places, factsIfOld);
  const daemonLogs = options.daemonLogs === true ? await findOldLogs(site, factsIfOld) : [];
  let kept: ReadonlySet<JobPlace> = new Set();
  if (options.dryRun !== true) {
    kept = await removeJobs(site, old, factsIfOld, options.onProgress);
    await removeArrays(site, old.places);
    for (const name of daemonLogs) await unlink(store, layout.daemonLogFile(name));
  }
  const removed = old.places.filter((place) => !kept.has(place));
  return {
    jobs: removed.map(({ job }) => job),
    count: sizeOfPlaces(removed),
    daemonLogs,
    left: old.left,
  };
}

async function findOld({ layout }: Site, places: readonly JobPlace[], factsIfOld: FactsIfOld): Promise<Old> {
  const jobs = new Map<SinglePlace, string>();
  const old: JobPlace[] = [];
  const left: string[] = [];
  for (const place of places) {
    if (!isEnd(place.state)) continue;
    // When numbers are cancelled, an entry in the array's directory is renamed. So the change time of the directory is the time
    // of the cancellation.
    const path = place.kind === "job" ? place.path : layout.array(place.numbers.array);
    const facts = await factsIfOld(path);
    if (facts === undefined) continue;
    if (place.kind === "job" && facts.kind === "directory") left.push(path);
    else {
      old.push(place);
      if (place.kind === "job") jobs.set(place, stampOf(facts));
    }
  }
  return { jobs, places: old, left };
}

/** Finds old logs of dispatchers and workers that have ended. */
async function findOldLogs(site: Site, factsIfOld: FactsIfOld): Promise<string[]> {
  const { store, layout } = site;
  const logs: string[] = [];
  const onDuty = new Set(await listAnnounced(site));
  for (const name of await store.list(layout.daemonlogs)) {
    const isGone = !onDuty.has(actorOfDaemonLog(name));
    if (isGone && (await factsIfOld(layout.daemonLogFile(name))) !== undefined) logs.push(name);
  }
  return logs;
}

/**
 * @returns jobs that were kept, because somebody has put them back meanwhile, or because another job with the same name has ended
 */
async function removeJobs(
  site: Site,
  old: Old,
  factsIfOld: FactsIfOld,
  onProgress: CleanOptions["onProgress"],
): Promise<Set<JobPlace>> {
  const { store } = site;
  const names = new Set(old.places.map(({ job }) => job));
  const history = await readHistory(site, (job) => names.has(job));
  const earlier = await earlierEnds(site, old.jobs.keys());
  const kept = new Set<JobPlace>();
  for (const [i, place] of old.places.entries()) {
    onProgress?.(i + 1, old.places.length);
    if (place.kind === "numbers") continue;
    if ((await stampAt(store, place.path)) !== old.jobs.get(place)) {
      kept.add(place);
      continue;
    }
    for (const path of earlier.get(place.job) ?? []) {
      if ((await factsIfOld(path)) !== undefined) await unlink(store, path);
    }
    await removeJob(site, place, history);
  }
  return kept;
}

/** Paths of the files of earlier jobs with these names that have ended, by name. */
async function earlierEnds(site: Site, places: Iterable<SinglePlace>): Promise<Map<string, string[]>> {
  const lastOf = new Map(Array.from(places, ({ job, path }) => [job, path]));
  const earlier = new Map<string, string[]>();
  for (const { kind, job, path } of await findJobs(site, new Set(END_STATES))) {
    const last = lastOf.get(job);
    if (last === undefined || last === path || kind === "numbers") continue;
    const paths = earlier.get(job) ?? [];
    earlier.set(job, paths);
    paths.push(path);
  }
  return earlier;
}

/** Removes the files of a job, the job file last. If the process is killed, the command can be repeated. */
async function removeJob(site: Site, { job, file, path }: SinglePlace, history: JobHistory): Promise<void> {
  const { store, layout } = site;
  for (const attempt of new Set((history.attempts.get(job) ?? []).map((one) => one.attempt))) {
    await unlink(store, layout.progressOf(job, attempt));
    await unlink(store, layout.resultOf(job, attempt));
    await unlink(store, layout.attemptLog(job, attempt));
  }
  await unlink(store, refusalLogOf(layout, file));
  await removeCheckpoint(site, job);
  await unlink(store, path);
}

/** Removes the arrays to which removed places belonged, if no other place of the array is left. */
async function removeArrays(site: Site, cleaned: readonly JobPlace[]): Promise<void> {
  const { store, layout } = site;
  const arrays = new Set(cleaned.flatMap((place) => arrayOfPlace(place) ?? []));
  if (arrays.size === 0) return;
  const numbers = new Set(cleaned.filter(isNumbers).map(({ job }) => job));
  for (const found of await findJobs(site)) {
    const isCleaned = found.kind === "numbers" && numbers.has(found.job);
    if (!isCleaned) arrays.delete(arrayOfPlace(found) ?? "");
  }
  for (const name of arrays) if (await store.has(layout.arrayFile(name))) await removeArray(site, name);
}

async function unlink(store: Store, path: string): Promise<void> {
  try {
    await store.unlink(path);
  } catch (error) {
    // A name with its suffix can be too long. Such a file cannot exist.
    if (!isErrno(error, "ENOENT", "ENAMETOOLONG")) throw error;
  }
}
