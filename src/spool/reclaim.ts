import { isIgnored, jobName } from "../job/name.js";
import { isLock, type Layout, lockOf } from "../project/layout.js";
import { type Announcement, withdrawAnnouncement } from "./announcement.js";
import { type Ask, heedAsk, readAsk } from "./ask.js";
import { removeCheckpoint } from "./checkpoint.js";
import { factsIfThere } from "./file-facts.js";
import { placeOf, putBack, stampAt } from "./finish.js";
import { killGroup } from "./group.js";
import type { History } from "./history.js";
import { ownPidSpace } from "./identity.js";
import { type Destination, type Ledger, type LedgerLine, parseLedger } from "./ledger.js";
import { removeLock } from "./lock.js";
import { type FileMark, isSameFile, isSameStamp } from "./stamp.js";
import { isErrno, type Store } from "./store.js";
import type { Aside } from "./withdraw.js";

/** What reclaiming works with; dispatcher and recruiter both do. */
export interface Reclaimer {
  readonly store: Store;
  readonly layout: Layout;
  readonly ledger: Pick<Ledger, "append">;
  readonly history: History;
  /** Attempts lost before a job is given up. */
  readonly lostLimit: number;
}

/** What became of a job that lay on a lost worker's desk. `attempt`: the one that was running, if one was. */
export interface Reclaimed {
  readonly file: string;
  readonly to: Destination | Aside | "gone";
  readonly lostAttempt?: number;
}

/** S8: one rename takes the desk with all that is on it away from its worker: a zombie finds no desk. */
async function fenceDesk(store: Store, layout: Layout, worker: string): Promise<void> {
  try {
    await store.rename(layout.desk(worker), layout.fencedDesk(worker));
  } catch (error) {
    // Gone: fenced already. Not empty: fenced before, and the worker made its desk anew, which workers never do.
    if (!isErrno(error, "ENOENT", "ENOTEMPTY", "EEXIST")) throw error;
  }
}

/**
 * S8, S9: declares a worker lost. Its desk is fenced, what still runs there on this host is killed, its jobs go back
 * to the queue (or to `jobfailed/` when they lost too many workers, or where somebody had asked for), desk and announcement
 * are removed. Killed anywhere in between, the next call goes on from there.
 */
export async function reclaimWorker(
  r: Reclaimer,
  worker: string,
  announcement: Announcement | undefined,
  reason: string,
): Promise<Reclaimed[]> {
  await fenceDesk(r.store, r.layout, worker);
  if (announcement?.group && announcement.process.space === ownPidSpace())
    await killGroup(announcement.group, worker);
  const reclaimed = await clearFencedDesk(r, worker, reason);
  await r.ledger.append({ event: "worker-lost", worker, reason });
  await withdrawAnnouncement(r.store, r.layout, worker);
  return reclaimed;
}

async function clearFencedDesk(r: Reclaimer, worker: string, reason: string): Promise<Reclaimed[]> {
  const desk = r.layout.fencedDesk(worker);
  let entries: string[];
  try {
    entries = await r.store.list(desk);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return [];
    throw error;
  }
  const asks = await asksOn(r, desk, entries);
  const reclaimed: Reclaimed[] = [];
  for (const file of entries) {
    if (isLock(file) || isIgnored(file)) continue;
    const source = `${desk}/${file}`;
    const isClaimed = entries.includes(lockOf(file));
    const ask = asks.get(file);
    const asked = ask && (await factsIfThere(r.store, source));
    const back = await (isClaimed
      ? settleAttempt(r, worker, file, source, reason)
      : giveBack(r, file, source));
    reclaimed.push(ask === undefined || asked === undefined ? back : await heed(r, ask, asked, back));
  }
  for (const entry of entries) {
    const path = `${desk}/${entry}`;
    if (isLock(entry)) await removeLock(r.store, path);
    else if (isIgnored(entry)) await r.store.unlink(path).catch(() => undefined);
  }
  await r.store.rmdir(desk).catch((error) => {
    // NFS keeps `.nfs*` files of open handles: the next roll call finds the desk again.
    if (!isErrno(error, "ENOENT", "ENOTEMPTY", "EEXIST")) throw error;
  });
  return reclaimed;
}

/** What the worker was asked for and has not done, by file. */
async function asksOn(r: Reclaimer, desk: string, entries: readonly string[]): Promise<Map<string, Ask>> {
  const asks = new Map<string, Ask>();
  for (const entry of entries.filter((name) => r.layout.isAsk(name))) {
    const ask = await readAsk(r.store, `${desk}/${entry}`);
    if (ask !== undefined && asks.get(ask.file)?.what !== "cancel") asks.set(ask.file, ask);
  }
  return asks;
}

/** S4 in the worker's stead: who asked may have gone, and relies on the note. */
async function heed(r: Reclaimer, ask: Ask, asked: FileMark, back: Reclaimed): Promise<Reclaimed> {
  const { file, to, lostAttempt = 0 } = back;
  if (to !== "jobqueue" && to !== "retry") return back;
  const source = to === "retry" ? r.layout.toRetry(file) : r.layout.queued(file);
  const there = await factsIfThere(r.store, source);
  if (there === undefined || !isSameFile(there, asked)) return back; // another of its name
  const room = await heedAsk(r, ask, source, lostAttempt);
  return room === undefined ? back : { ...back, to: room };
}

/** False: another who takes back from this desk was quicker. */
async function move(r: Reclaimer, source: string, to: string): Promise<boolean> {
  try {
    await r.store.rename(source, to);
    return true;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return false;
    throw error;
  }
}

async function giveBack(r: Reclaimer, file: string, source: string): Promise<Reclaimed> {
  return { file, to: await putBack(r.store, r.layout, source, file) };
}

/** A job that the lost worker had claimed: the worker's own ledger tells how far it had come. */
async function settleAttempt(
  r: Reclaimer,
  worker: string,
  file: string,
  source: string,
  reason: string,
): Promise<Reclaimed> {
  const job = jobName(file);
  const last = (await lastWords(r, worker)).filter((line) => "job" in line && line.job === job).at(-1);
  if (last?.event === "ended" && last.to !== "jobqueue") {
    // Of an earlier job of this name: this one had not begun.
    if (!isSameStamp(last.stamp, (await stampAt(r.store, source)) ?? "")) return giveBack(r, file, source);
    // Else a zombie has told it too late: who began this, and was killed, has noted the attempt as lost.
    if (!(await r.history.isLost(job, last.attempt))) {
      // It had ended and only S6's rename was missing: done in the worker's stead, the outcome is not lost.
      if (last.outcome.kind === "succeeded") await removeCheckpoint(r.store, r.layout, job);
      const to = await placeOf(r.store, r.layout, last.to, file, source, last.stamp);
      return { file, to: (await move(r, source, to)) ? last.to : "gone" };
    }
  } else if (last?.event !== "started") return giveBack(r, file, source);
  const { attempt } = last;
  // Not this one: it may have been noted before, by who was killed in between.
  const { lost } = await r.history.attemptsOf(job, attempt);
  const gone = { event: "lost", job, attempt, worker, reason } as const;
  if (lost + 1 >= r.lostLimit) {
    await r.ledger.append({ ...gone, to: "jobfailed" });
    const there = await move(r, source, r.layout.ended("jobfailed", file));
    return { file, to: there ? "jobfailed" : "gone", lostAttempt: attempt };
  }
  await r.ledger.append({ ...gone, to: "jobqueue" });
  return { ...(await giveBack(r, file, source)), lostAttempt: attempt };
}

const TAIL = 256 * 1024;

/** The end of a worker's ledger: the job that it had claimed was its last, so its lines are there. */
async function lastWords(r: Reclaimer, worker: string): Promise<LedgerLine[]> {
  try {
    return parseLedger(await r.store.tail(r.layout.ledgerOf(worker), TAIL));
  } catch (error) {
    if (isErrno(error, "ENOENT")) return [];
    throw error;
  }
}
