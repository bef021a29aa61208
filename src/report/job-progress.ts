import { type JobProgress, parseProgress } from "../job/job-progress.js";
import type { Announcement } from "../spool/announcement.js";
import type { Site } from "../store/site.js";

/** Bytes that are read at the end of the file. A job may overwrite the file or append lines, and the last line counts. */
const TAIL = 1024;
/**
 * A shell truncates the file before it writes. So an empty file is read again: this number of times, and this number of ms apart.
 */
const TRIES = 3;
const TRIES_APART = 1;

/**
 * Reads the progress that a running job has reported. Undefined if the job has reported no progress, or if the report cannot be
 * read.
 */
export async function readProgress(
  site: Site,
  job: NonNullable<Announcement["job"]>,
): Promise<JobProgress | undefined> {
  const { store, layout } = site;
  const path = layout.progressOf(job.name, job.attempt);
  if (!(await store.has(path).catch(() => false))) return undefined;
  for (let tries = 0; tries < TRIES; tries++) {
    if (tries > 0) await store.clock.sleep(TRIES_APART);
    // The job may have put a directory there, which is not progress.
    const told = (await store.tail(path, TAIL).catch(() => "")).trimEnd();
    if (told !== "") return parseProgress(told.slice(told.lastIndexOf("\n") + 1));
  }
  return undefined;
}
