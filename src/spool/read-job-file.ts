import { dirname } from "node:path";
import { JOB_FILE_LIMIT, type Job, readJob } from "../job/job.js";
import { checkName } from "../job/name.js";
import { unlessStale, whenKnown } from "../store/file-facts.js";
import {
  type FileFacts,
  type FileReading,
  isDenied,
  isErrno,
  isTrouble,
  type Soon,
  type Store,
} from "../store/store.js";
import { temporaryIn } from "../store/temporary.js";
import type { JobOwners } from "./job-owners.js";
import type { Settling } from "./settling.js";

/** Result of reading a job file. `unsettled`: somebody may still be writing the file. */
export type JobFileReading =
  | ({ kind: "valid"; job: Job; mode: number; bytes: Buffer } & Pick<
      FileFacts,
      "ino" | "mtimeMs" | "ctimeMs" | "bornMs"
    >)
  | { kind: "unsettled" }
  | { kind: "refused"; reason: string }
  | { kind: "gone" };

const EXECUTABLE = 0o111;

/**
 * Reads a job file. Symbolic links, directories, FIFOs and unreadable files are refused with a reason, so no file can stop a
 * daemon.
 *
 * @param settling tells whether the file is complete; left out if the caller knows that the file is complete (S3: it is on a
 * desk)
 * @param owners tells whether the file may be run; left out by callers that run nothing
 */
export function readJobFile(
  store: Store,
  path: string,
  file: string,
  settling?: Settling,
  owners?: JobOwners,
): Soon<JobFileReading> {
  const problem = checkName(file);
  if (problem !== undefined) return { kind: "refused", reason: `${problem}.` };
  const read = unlessStale(() => store.read(path, JOB_FILE_LIMIT + 1));
  if (!(read instanceof Promise)) return judge(file, read, settling, owners);
  return read.then(
    (reading) => judge(file, reading, settling, owners),
    async (error) => {
      const again = await afterError(store, path, file, error);
      return "kind" in again ? again : judge(file, again, settling, owners);
    },
  );
}

/** Whether a file that was read is a job that may run. */
function judge(
  file: string,
  { facts, bytes }: FileReading,
  settling: Settling | undefined,
  owners: JobOwners | undefined,
): Soon<JobFileReading> {
  // The answer may come from another process. The file is parsed meanwhile.
  const settled = settling === undefined || settling.isSettled(file, facts);
  const reading = facts.kind === "file" ? readJob(file, bytes, (facts.mode & EXECUTABLE) !== 0) : undefined;
  return whenKnown(settled, (isSettled) => {
    if (!isSettled) return { kind: "unsettled" };
    if (facts.kind === "directory") {
      return refused(file, "is a directory; put the job files themselves into the queue");
    }
    if (reading === undefined) return refused(file, "is not a regular file");
    return whenKnown(owners?.problem(facts), (foreign): JobFileReading => {
      if (foreign !== undefined) return refused(file, foreign);
      if (!reading.ok) return { kind: "refused", reason: reading.reason };
      const { ino, mode, mtimeMs, ctimeMs, bornMs } = facts;
      return { kind: "valid", job: reading.job, ino, mode, mtimeMs, ctimeMs, bornMs, bytes };
    });
  });
}

/**
 * Tells why a file could not be read, or reads it once more.
 *
 * @throws ErrnoException if the error says nothing about this file
 */
async function afterError(
  store: Store,
  path: string,
  file: string,
  error: unknown,
): Promise<JobFileReading | FileReading> {
  if (isErrno(error, "ENOENT")) return { kind: "gone" };
  if (isErrno(error, "ELOOP")) {
    return refused(file, "is a symbolic link; put the job file itself (cp -L) into the queue");
  }
  if (isErrno(error, "ENXIO", "ENODEV")) return refused(file, "is a socket or device, not a file");
  if (!isDenied(error)) throw error;
  // The store itself may deny every call for a while, for example when a Kerberos ticket has expired.
  if (await isClosed(store, dirname(path))) throw error;
  const again = await readAgain(store, path);
  return (
    again ??
    refused(
      file,
      "cannot be read: permission denied; chmod or chown the file so that the workers' user may read it",
    )
  );
}

/** Reads the file once more. @returns undefined if the store denies this again */
async function readAgain(store: Store, path: string): Promise<FileReading | undefined> {
  try {
    return await store.read(path, JOB_FILE_LIMIT + 1);
  } catch (error) {
    if (!isDenied(error)) throw error;
    return undefined;
  }
}

/** Whether this process cannot create a file in a directory now. If so, a denied read says nothing about the single file. */
export async function isClosed(store: Store, dir: string): Promise<boolean> {
  const probe = temporaryIn(dir);
  try {
    await store.create(probe, "", false);
    await store.unlink(probe).catch(() => store.unlink(probe)); // tries twice, because no other process removes this file
    return false;
  } catch (error) {
    if (!isTrouble(error)) throw error;
    return true;
  }
}

function refused(file: string, problem: string): JobFileReading {
  return { kind: "refused", reason: `${file}: ${problem}.` };
}
