import { formatIni, parseIni } from "../job/ini-dialect.js";
import { visible } from "../job/quote.js";
import { deskKind, fileOfEdit } from "../project/entry-names.js";
import { factsIfThere, ifThere, renameIfThere, unlessStale } from "../store/file-facts.js";
import type { Site } from "../store/site.js";
import { type FileMark, isSameFile, isStampOf, markOf } from "../store/stamp.js";
import { isErrno, isSystemError, type Store } from "../store/store.js";
import { temporaryIn } from "../store/temporary.js";
import { identify, livenessOf, type ProcessIdentity, userAtHost } from "./identity.js";

/**
 * A hidden file that names the process which holds a job for an edit (S4). Only this process may put the job back. A command that
 * holds or releases the job removes the mark, so the edit may no longer put the job back.
 */
export interface EditMark {
  /** The job file's name. */
  readonly file: string;
  /** `user@host`. */
  readonly by: string;
  readonly process: ProcessIdentity;
  /** ISO 8601, by the clock of that host. People read this time, but fjord compares nothing with it. */
  readonly since: string;
  /** Where the job goes after the edit. A job that was held before stays held. */
  readonly to: "jobqueue" | "jobheld";
  /** The stamp of the job file; empty when the file was being moved at that moment. */
  readonly stamp: string;
  /** The copy that the editor shows; empty when there is none. */
  readonly copy: string;
}

const LIMIT = 64 * 1024;

/** A new mark of this process. */
export function newEditMark(store: Store, about: Pick<EditMark, "file" | "to" | "stamp" | "copy">): EditMark {
  return {
    ...about,
    by: userAtHost(),
    process: identify(),
    since: new Date(store.clock.wall()).toISOString(),
  };
}

/**
 * Puts a mark in its place. The call makes a link, which succeeds for only one of two edits, or replaces the mark of a dead
 * process.
 *
 * @param over mark of a dead process that this edit replaces
 * @returns whether the mark of this edit is in its place now
 */
export async function writeEditMark(site: Site, mark: EditMark, over?: EditMark): Promise<boolean> {
  const { store, layout } = site;
  const { pid, start, space } = mark.process;
  const text = formatIni({
    edit: {
      by: visible(mark.by),
      pid: String(pid),
      start,
      space,
      since: mark.since,
      to: mark.to,
      stamp: mark.stamp,
      copy: visible(mark.copy).trim(),
    },
  });
  const temporary = temporaryIn(layout.jobheld);
  await store.create(temporary, text, false);
  try {
    if (over !== undefined) {
      await store.rename(temporary, layout.edit(mark.file));
      const now = await readEditMark(site, mark.file);
      return now !== undefined && isSameEdit(now, mark);
    }
    await linkOrCreate(store, temporary, layout.edit(mark.file), text);
    return true;
  } catch (error) {
    if (isErrno(error, "EEXIST")) return false;
    throw error;
  } finally {
    await store.unlink(temporary).catch(() => undefined);
  }
}

/** Makes a link. On a file system without hard links it creates a file, which is empty for a moment. */
async function linkOrCreate(store: Store, from: string, to: string, text: string): Promise<void> {
  try {
    await store.link(from, to);
  } catch (error) {
    if (!isErrno(error, "EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK")) throw error;
    await store.create(to, text, false);
  }
}

/** Reads the mark of a job file. @returns undefined if nobody edits the file */
export async function readEditMark(site: Site, file: string): Promise<EditMark | undefined> {
  const { store, layout } = site;
  let bytes: Uint8Array;
  try {
    bytes = (await unlessStale(() => store.read(layout.edit(file), LIMIT))).bytes;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "ELOOP")) return undefined;
    throw error;
  }
  const parsed = parseIni(bytes);
  const e = parsed.ok ? parsed.sections.get("edit") : undefined;
  if (e === undefined) return undefined;
  return {
    file,
    by: e.get("by") ?? "",
    process: { pid: Number(e.get("pid")), start: e.get("start") ?? "", space: e.get("space") ?? "" },
    since: e.get("since") ?? "",
    to: e.get("to") === "jobqueue" ? "jobqueue" : "jobheld",
    stamp: e.get("stamp") ?? "",
    copy: e.get("copy") ?? "",
  };
}

async function removeEditMark(site: Site, file: string): Promise<void> {
  const { store, layout } = site;
  await ifThere(store.unlink(layout.edit(file)));
}

/**
 * Whether a held file is the file that a mark describes. An edit replaces the file and keeps its modification time. So it is
 * enough if the inode or the modification time is the same.
 */
export function isAbout({ stamp }: Pick<EditMark, "stamp">, file: FileMark): boolean {
  if (stamp === "") return true;
  return isStampOf(stamp, file) || isSameFile({ ino: 0, mtimeMs: markOf(stamp).mtimeMs }, file);
}

/**
 * Result of ending an edit. `name-taken`: another job with the same name waits in the queue, so the edited job stays held, with
 * its mark.
 */
export type EditEnd = "put-back" | "left" | "name-taken";

/** S4: puts the job back if the edit held it, then removes the mark. If another edit has replaced the mark, it does nothing. */
export async function endEdit(site: Site, mark: EditMark): Promise<EditEnd> {
  const { store, layout } = site;
  const { file } = mark;
  const now = await readEditMark(site, file);
  if (now === undefined || !isSameEdit(now, mark)) return "left";
  const held = await factsIfThere(store, layout.held(file));
  let end: EditEnd = "left";
  if (mark.to === "jobqueue" && held !== undefined && isAbout(mark, held)) {
    if (await store.has(layout.queued(file))) return "name-taken";
    if (await renameIfThere(store, layout.held(file), layout.queued(file))) end = "put-back";
  }
  await removeEditMark(site, file);
  return end;
}

function isSameEdit(a: EditMark, b: EditMark): boolean {
  const { pid, start, space } = a.process;
  const { process } = b;
  return a.since === b.since && pid === process.pid && start === process.start && space === process.space;
}

/**
 * S4: ends the edits of dead processes of this host. A mark stays while its job lies on a desk, because the worker may still have
 * a request to hold the job.
 *
 * @param entries of `jobpod/`
 * @returns the files that were put back
 */
export async function recoverEdits(site: Site, entries: readonly string[]): Promise<string[]> {
  const back: string[] = [];
  for (const entry of entries) {
    const file = fileOfEdit(entry);
    if (file === undefined) continue;
    try {
      const mark = await readEditMark(site, file);
      if (mark === undefined || livenessOf(mark.process) !== "dead") continue;
      if (await isOnADesk(site, entries, file)) continue;
      if ((await endEdit(site, mark)) === "put-back") back.push(file);
    } catch (error) {
      if (!isSystemError(error)) throw error; // the next roll call tries again
    }
  }
  return back;
}

async function isOnADesk(site: Site, entries: readonly string[], file: string): Promise<boolean> {
  const { store, layout } = site;
  for (const entry of entries) {
    if (deskKind(entry) !== undefined && (await store.has(layout.onDesk(entry, file)))) return true;
  }
  return false;
}

/** Removes the marks of jobs that somebody held or released, so that the edits do not put these jobs back. */
export async function forgetEdits(site: Site, files: ReadonlySet<string>): Promise<void> {
  const { store, layout } = site;
  if (files.size === 0) return;
  for (const entry of await store.list(layout.jobpod)) {
    const file = fileOfEdit(entry);
    if (file !== undefined && files.has(file)) await removeEditMark(site, file);
  }
}
