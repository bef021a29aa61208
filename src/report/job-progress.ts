import { setTimeout as delay } from "node:timers/promises";
import { type JobProgress, parseProgress } from "../job/job-progress.js";
import type { Layout } from "../project/layout.js";
import type { Announcement } from "../spool/announcement.js";
import type { Store } from "../spool/store.js";

/** Bytes: a job may write over what it told, or add lines to it. The last line counts. */
const TAIL = 1024;
/** A shell cuts the file to nothing before it writes: one that is empty is looked at again, ms apart. */
const LOOKS = 3;
const LOOKS_APART = 1;

/** What the job that a worker runs has told of its progress; undefined when it told nothing that can be read. */
export async function readProgress(
  store: Store,
  layout: Layout,
  job: NonNullable<Announcement["job"]>,
): Promise<JobProgress | undefined> {
  const path = layout.progressOf(job.name, job.attempt);
  if (!(await store.has(path).catch(() => false))) return undefined;
  for (let look = 0; look < LOOKS; look++) {
    if (look > 0) await delay(LOOKS_APART);
    // Whatever else the job put there, a directory say, tells nothing.
    const told = (await store.tail(path, TAIL).catch(() => "")).trimEnd();
    if (told !== "") return parseProgress(told.slice(told.lastIndexOf("\n") + 1));
  }
  return undefined;
}
