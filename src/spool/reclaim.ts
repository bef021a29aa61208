import { isIgnored, jobName } from "../job/name.js";
import type { Counts } from "../ledger/counts.js";
import { type Closing, Fold, type Run } from "../ledger/fold.js";
import { type Destination, parseLedger } from "../ledger/line.js";
import { LAST_CLAIMED, tails } from "../ledger/tails.js";
import { isCancelRequest } from "../project/entry-names.js";
import { entryIn, isLock, lockOf } from "../project/layout.js";
import { factsIfThere, ifThere, renameIfThere } from "../store/file-facts.js";
import type { Site } from "../store/site.js";
import { type FileMark, isSameFile, isSameLife, isSameStamp, markOf, stampOf } from "../store/stamp.js";
import { isErrno } from "../store/store.js";
import type { Recorder } from "./actor.js";
import { type Announcement, withdrawAnnouncement } from "./announcement.js";
import { type CancelRequest, carryOutCancelRequest, readCancelRequest } from "./cancel-request.js";
import { removeCheckpoint } from "./checkpoint.js";
import { placeOf, putBack, stampAt } from "./finish.js";
import { killGroup } from "./group.js";
import { ownPidSpace } from "./identity.js";
import { removeLock } from "./lock.js";

/** A process that reclaims the jobs of lost workers: a dispatcher or a recruiter. */
export interface Reclaimer extends Recorder {
  readonly counts: Counts;
}

/**
 * A job that lay on a lost worker's desk, and the directory to which it went. `lostAttempt`: the attempt that was running, if
 * there was one.
 */
export interface Reclaimed {
  readonly file: string;
  readonly to: Destination | "jobheld" | "gone";
  readonly lostAttempt?: number;
}

/** S8: fences a desk. One rename takes the desk and all its files away from the worker, so a zombie finds no desk. */
async function fenceDesk(site: Site, worker: string): Promise<void> {
  const { store, layout } = site;
  try {
    await store.rename(layout.desk(worker), layout.fencedDesk(worker));
  } catch (error) {
    // ENOENT: the desk is fenced already. The other codes mean that the desk is fenced already and somebody has made a second
    // one.
    if (!isErrno(error, "ENOENT", "ENOTEMPTY", "EEXIST")) throw error;
  }
}

/**
 * S8, S9: declares a worker lost. The call fences the worker's desk, and kills the worker's process group if it is on this host.
 * Each job on the desk goes back to the queue, to `jobfailed/` if it has lost too many workers, or to the directory that a
 * request names. Then the call removes the desk and the announcement. If this process is killed at any point, the next call
 * continues.
 */
export async function reclaimWorker(
  r: Reclaimer,
  worker: string,
  announcement: Announcement | undefined,
  reason: string,
): Promise<Reclaimed[]> {
  await fenceDesk(r, worker);
  if (announcement?.group && announcement.process.space === ownPidSpace())
    await killGroup(announcement.group, worker);
  const reclaimed = await clearFencedDesk(r, worker, reason);
  await r.ledger.append({ event: "worker-lost", worker, reason });
  await withdrawAnnouncement(r, worker);
  return reclaimed;
}

async function clearFencedDesk(r: Reclaimer, worker: string, reason: string): Promise<Reclaimed[]> {
  const desk = r.layout.fencedDesk(worker);
  const entries = await ifThere(r.store.list(desk));
  if (entries === undefined) return [];
  const requests = await cancelRequestsOn(r, desk, entries);
  const reclaimed: Reclaimed[] = [];
  for (const file of entries) {
    if (isLock(file) || isIgnored(file)) continue;
    const source = entryIn(desk, file);
    const isClaimed = entries.includes(lockOf(file));
    const request = requests.get(file);
    const asked = request && (await factsIfThere(r.store, source));
    const left = { worker, file, source, reason };
    const back = await (isClaimed ? settle(r, left) : giveBack(r, left));
    reclaimed.push(
      request === undefined || asked === undefined ? back : await cancelBack(r, request, asked, back),
    );
  }
  for (const entry of entries) {
    const path = entryIn(desk, entry);
    if (isLock(entry)) await removeLock(r.store, path);
    else if (isIgnored(entry)) await r.store.unlink(path).catch(() => undefined);
  }
  await r.store.rmdir(desk).catch((error) => {
    // NFS keeps `.nfs*` files while a handle is open. The next roll call finds the desk again.
    if (!isErrno(error, "ENOENT", "ENOTEMPTY", "EEXIST")) throw error;
  });
  return reclaimed;
}

/**
 * Requests that the worker has not carried out, by job file. If there are both, a request to cancel wins over a request to hold.
 */
async function cancelRequestsOn(
  r: Reclaimer,
  desk: string,
  entries: readonly string[],
): Promise<Map<string, CancelRequest>> {
  const requests = new Map<string, CancelRequest>();
  for (const entry of entries.filter((name) => isCancelRequest(name))) {
    const request = await readCancelRequest(r.store, entryIn(desk, entry));
    if (request !== undefined && requests.get(request.file)?.what !== "cancel") {
      requests.set(request.file, request);
    }
  }
  return requests;
}

/**
 * S4: carries out a request in place of the lost worker, after the job has been put back. The command that left the request may
 * have ended, so it may not do this itself.
 */
async function cancelBack(
  r: Reclaimer,
  request: CancelRequest,
  asked: FileMark,
  back: Reclaimed,
): Promise<Reclaimed> {
  const { file, to, lostAttempt = 0 } = back;
  if (to !== "jobqueue" && to !== "retry") return back;
  const source = to === "retry" ? r.layout.toRetry(file) : r.layout.queued(file);
  const there = await factsIfThere(r.store, source);
  if (there === undefined || !isSameFile(there, asked)) return back; // another job with the same name
  const room = await carryOutCancelRequest(r, request, source, lostAttempt, stampOf(there));
  return room === undefined ? back : { ...back, to: room };
}

/** A job file on the fenced desk of a lost worker. `reason`: why the worker counts as lost. */
interface LeftJob {
  readonly worker: string;
  readonly file: string;
  /** Path of the file. */
  readonly source: string;
  readonly reason: string;
}

/** @returns false when another process has taken the file from this desk */
async function move(r: Reclaimer, { source }: LeftJob, to: string): Promise<boolean> {
  return renameIfThere(r.store, source, to);
}

async function giveBack(r: Reclaimer, { file, source }: LeftJob): Promise<Reclaimed> {
  return { file, to: await putBack(r, source, file) };
}

/** S8: decides about a job that the lost worker had claimed. The worker's own ledger tells how far the run had come. */
async function settle(r: Reclaimer, left: LeftJob): Promise<Reclaimed> {
  const { worker, file, source } = left;
  const job = jobName(file);
  const run = await lastRun(r, worker, job);
  if (run === undefined) return giveBack(r, left);
  const { end } = run;
  switch (end.kind) {
    case "open":
      return declareLost(r, left, run);
    case "discarded":
    case "lost":
      return giveBack(r, left);
    case "ended": {
      const { outcome, to, stamp = "" } = end;
      if (to === "jobqueue") return giveBack(r, left);
      // The line is about an earlier job with the same name, and this job had not begun.
      if (!isSameStamp(stamp, (await stampAt(r.store, source)) ?? "")) return giveBack(r, left);
      // An earlier call declared the run lost, and was killed before it moved the job. The worker wrote the end of the run after
      // that, so it does not count.
      if (await r.counts.isLost(job, run.run)) return declareLost(r, left, run);
      // Only the rename of S6 is missing. This process does it in place of the worker, so that the outcome is not lost.
      if (outcome.kind === "succeeded") await removeCheckpoint(r, job);
      const place = await placeOf(r, to, { file, source, stamp });
      return { file, to: (await move(r, left, place)) ? to : "gone" };
    }
    default:
      return end satisfies never;
  }
}

/**
 * S8: records in the ledger that the run was lost. Then the job goes back to the queue, or to `jobfailed/` at the `lost_limit`.
 */
async function declareLost(
  r: Reclaimer,
  left: LeftJob,
  { job, attempt, run, stamps }: Run,
): Promise<Reclaimed> {
  const { worker, file, source, reason } = left;
  const [claimed] = stamps;
  const stamp = (await stampAt(r.store, source)) ?? claimed;
  const mark = markOf(stamp ?? "");
  // The count leaves out this run, because an earlier call may have written `lost` for the run before it was killed.
  const { lost } = await r.counts.attemptsOf(job, mark, run);
  const gone = {
    ...({ event: "lost", job, attempt, worker, run, reason } as const),
    ...(stamp !== undefined && { stamp }),
    ...(claimed !== undefined && !isSameLife(markOf(claimed), mark) && { claimed }),
  };
  if (lost + 1 >= r.settings.lostLimit) {
    await r.ledger.append({ ...gone, to: "jobfailed" });
    const isMoved = await move(r, left, r.layout.ended("jobfailed", file));
    return { file, to: isMoved ? "jobfailed" : "gone", lostAttempt: attempt };
  }
  await r.ledger.append({ ...gone, to: "jobqueue" });
  return { ...(await giveBack(r, left)), lostAttempt: attempt };
}

/** The run in the last line about a job in the worker's own ledger; undefined if that line names no run. */
async function lastRun(r: Reclaimer, worker: string, job: string): Promise<Run | undefined> {
  const read = (size: number) => ifThere(r.store.tail(r.layout.ledgerOf(worker), size), "");
  for await (const text of tails(read, LAST_CLAIMED)) {
    const fold = new Fold(() => undefined);
    let last: Run | Closing | undefined;
    for (const line of parseLedger(text)) if ("job" in line && line.job === job) last = fold.note(line);
    if (last !== undefined) return "end" in last ? last : undefined;
  }
  return undefined;
}
