import os from "node:os";
import { JOB_FILE_LIMIT, readJob } from "../job/job.js";
import { resolvePath } from "../job/written-path.js";
import { isSystemError, type Store } from "../spool/store.js";
import type { JobPlace } from "./jobs.js";

/**
 * The directory that a job runs in, or ran in if its file is still what it was.
 *
 * @param hiredIn where its worker was hired; undefined: nobody knows, or there is none yet
 * @returns undefined when it depends on the worker
 */
export async function directoryOf(
  store: Store,
  { file, path }: Pick<JobPlace, "file" | "path">,
  hiredIn: string | undefined,
): Promise<string | undefined> {
  try {
    const { bytes, facts } = await store.read(path, JOB_FILE_LIMIT);
    const reading = readJob(file, bytes, (facts.mode & 0o111) !== 0);
    const workdir = (reading.ok && reading.job.workdir) || ".";
    if (hiredIn === undefined && !/^[/~]/.test(workdir)) return undefined;
    return resolvePath(hiredIn ?? "/", workdir, os.homedir());
  } catch (error) {
    if (isSystemError(error)) return hiredIn; // it has moved on
    throw error;
  }
}
