import { FjordError } from "../job/error.js";
import { JOB_FILE_LIMIT, readJob } from "../job/job.js";
import { resolvePath } from "../job/written-path.js";
import { homeDirectory } from "../project/home.js";
import { isSystemError, type Store } from "../store/store.js";
import type { JobPlace } from "./places.js";

/**
 * Directory in which a job runs. For a job that has ended, the result is wrong if somebody has changed the job file since.
 *
 * @param hiredIn directory in which its worker was hired; undefined if it has no worker yet, or the worker is not known
 * @returns undefined if the directory depends on the worker
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
    return resolvePath(hiredIn ?? "/", workdir, homeDirectory);
  } catch (error) {
    if (isSystemError(error)) return hiredIn; // the job file was moved meanwhile
    if (error instanceof FjordError) return undefined; // this user has no home directory
    throw error;
  }
}
