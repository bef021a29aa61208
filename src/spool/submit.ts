import { FjordError } from "../job/error.js";
import { checkName, isIgnored } from "../job/name.js";
import { quote } from "../job/quote.js";
import type { Layout } from "../project/layout.js";
import type { Store } from "./store.js";
import { temporaryIn } from "./temporary.js";

/**
 * A file that was renamed into place has been written to its end. Its modification time is set back by this
 * much (ms), so that it stands out from its change time whatever the file system's resolution: that is how S1's
 * other side, `settling.ts`, knows it. Longer than what files need to settle on a network, since one that has no change
 * times (SFTP) tells the modification time instead.
 */
export const RENAMED_IN = 15_000;

export interface SubmitOptions {
  /** Permissions, less the umask; those of data if not said. A script needs its x bits. */
  readonly mode?: number;
  /** Take the place of a job of this name that waits in the queue. */
  readonly replace?: boolean;
}

/**
 * S1: a hidden temporary file in `jobqueue/`, flushed if asked, then one rename. Once this returns, the job is
 * accepted.
 *
 * @param file the job file's name
 * @throws FjordError `job-refused` for a name that cannot be a job's or that waits already
 */
export async function submit(
  store: Store,
  layout: Layout,
  file: string,
  content: string | Uint8Array,
  flush: boolean,
  options: SubmitOptions = {},
): Promise<void> {
  const problem = isIgnored(file) ? `${quote(file)} is a name that is never a job's` : checkName(file);
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
