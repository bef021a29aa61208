import { dirname } from "node:path";
import { JOB_FILE_LIMIT, type Job, readJob } from "../job/job.js";
import { checkName } from "../job/name.js";
import { unlessStale } from "./file-facts.js";
import type { JobOwners } from "./job-owners.js";
import type { Settling } from "./settling.js";
import { isDenied, isErrno, isTrouble, type Store } from "./store.js";
import { temporaryIn } from "./temporary.js";

/** What a look at a job file gives. */
export type Look =
  | { kind: "valid"; job: Job; ino: number; mode: number; mtimeMs: number; ctimeMs: number; bytes: Buffer }
  | { kind: "unsettled" }
  | { kind: "refused"; reason: string }
  | { kind: "gone" };

const EXECUTABLE = 0o111;

/**
 * Reads a job file and tells what it is. Nothing that lies there stops a daemon: symlinks, directories, FIFOs and
 * what cannot be read are refused with a reason.
 *
 * @param settling asked whether the file is whole; left out where that is known (S3: it is on a desk)
 * @param owners asked whether the job may be run, of the very file that is read; left out by who runs nothing
 */
export async function look(
  store: Store,
  path: string,
  file: string,
  settling?: Settling,
  owners?: JobOwners,
): Promise<Look> {
  const problem = checkName(file);
  if (problem !== undefined) return { kind: "refused", reason: `${problem}.` };
  let read: Awaited<ReturnType<Store["read"]>>;
  try {
    read = await unlessStale(() => store.read(path, JOB_FILE_LIMIT + 1));
  } catch (error) {
    if (isErrno(error, "ENOENT")) return { kind: "gone" };
    if (isErrno(error, "ELOOP")) {
      return refused(file, "is a symbolic link; put the job file itself (cp -L) into the queue");
    }
    if (isErrno(error, "ENXIO", "ENODEV")) return refused(file, "is a socket or device, not a file");
    if (!isDenied(error)) throw error;
    // By the file itself? Or is it the store, which denies everything for a while, when a ticket has run out say?
    if (await isClosed(store, dirname(path))) throw error;
    const again = await readAgain(store, path);
    if (again === undefined) {
      return refused(
        file,
        "cannot be read: permission denied; chmod or chown it so that the workers' user may",
      );
    }
    read = again;
  }
  const { facts, bytes } = read;
  if (settling !== undefined && !(await settling.isSettled(file, facts))) return { kind: "unsettled" };
  if (facts.kind === "directory") {
    return refused(file, "is a directory; put the job files themselves into the queue");
  }
  if (facts.kind !== "file") return refused(file, "is not a regular file");
  const foreign = await owners?.problem(facts);
  if (foreign !== undefined) return refused(file, foreign);
  const reading = readJob(file, bytes, (facts.mode & EXECUTABLE) !== 0);
  if (!reading.ok) return { kind: "refused", reason: reading.reason };
  const { ino, mode, mtimeMs, ctimeMs } = facts;
  return { kind: "valid", job: reading.job, ino, mode, mtimeMs, ctimeMs, bytes };
}

/** Undefined: denied once more. */
async function readAgain(
  store: Store,
  path: string,
): Promise<Awaited<ReturnType<Store["read"]>> | undefined> {
  return store.read(path, JOB_FILE_LIMIT + 1).catch((error) => {
    if (!isDenied(error)) throw error;
    return undefined;
  });
}

/** Whether a directory takes nothing at all, and not one file alone is refused. */
export async function isClosed(store: Store, dir: string): Promise<boolean> {
  const probe = temporaryIn(dir);
  try {
    await store.create(probe, "", false);
    await store.unlink(probe).catch(() => store.unlink(probe)); // nobody else would
    return false;
  } catch (error) {
    if (!isTrouble(error)) throw error;
    return true;
  }
}

function refused(file: string, problem: string): Look {
  return { kind: "refused", reason: `${file}: ${problem}.` };
}
