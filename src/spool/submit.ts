import { FjordError } from "../job/error.js";
import { checkName, isIgnored } from "../job/name.js";
import { quote } from "../job/quote.js";
import type { Site } from "../store/site.js";
import { temporaryIn } from "../store/temporary.js";

/**
 * Time in ms by which `submit` sets back the modification time of a job file. `settling.ts` then sees that the file was renamed
 * into the queue, even if file times have a coarse resolution. The value is longer than the settle time of network file systems,
 * because SFTP has no change time and reports the modification time instead.
 */
export const RENAMED_IN = 15_000;

export interface SubmitOptions {
  /** Permissions before the umask; by default those of a data file. A script needs its x bits. */
  readonly mode?: number;
  /** Whether to replace a job of this name that waits in the queue. */
  readonly replace?: boolean;
}

/**
 * S1: writes a hidden temporary file in `jobqueue/`, flushes it to the disk if `flush` is set, and renames it. The job is
 * accepted when this call returns.
 *
 * @param file name of the job file
 * @throws FjordError `job-refused` if no job can have this name, or if a job of this name waits in the queue
 */
export async function submit(
  site: Site,
  file: string,
  content: string | Uint8Array,
  flush: boolean,
  options: SubmitOptions = {},
): Promise<void> {
  const { store, layout } = site;
  const problem = isIgnored(file) ? `${quote(file)} cannot be the name of a job` : checkName(file);
  if (problem !== undefined) throw new FjordError("job-refused", `${problem}.`);
  if (options.replace !== true && (await store.has(layout.queued(file)))) {
    throw new FjordError("job-refused", `${file} waits in the queue already.`, "Give the job another name.");
  }
  const temporary = temporaryIn(layout.jobqueue);
  await store.create(temporary, content, flush, options.mode ?? 0o666);
  try {
    await store.touch(temporary, store.clock.wall() - RENAMED_IN);
    await store.rename(temporary, layout.queued(file));
  } catch (error) {
    await store.unlink(temporary).catch(() => undefined);
    throw error;
  }
  if (flush) await store.flushDirectory(layout.jobqueue);
}
