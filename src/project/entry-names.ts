/*
 * Names of entries in the directories of a project, each with the function that recognizes the name. `layout.ts` makes paths from
 * these names.
 */

/** Name of the retry desk, where failed jobs wait for the decision of the dispatcher (S9). No worker has this id. */
export const RETRY_DESK = "retry";
const FENCED = ".lost";

/** Announcement of a worker, in `workerqueue/`. */
export function announcementName(worker: string): string {
  return `${worker}.ini`;
}

/** Worker of an entry of `workerqueue/` that is an announcement; otherwise undefined. */
export function workerOfAnnouncement(entry: string): string | undefined {
  if (entry.startsWith(".") || !entry.endsWith(".ini")) return undefined;
  return entry.slice(0, -".ini".length);
}

/** Temporary file of a worker or dispatcher. */
export function temporaryName(actor: string): string {
  return `.${actor}.tmp`;
}

/** Dispatcher of an entry of the project that is a temporary file of a dispatcher; otherwise undefined. */
export function dispatcherOfTemporary(entry: string): string | undefined {
  const dispatcher = /^\.(.+)\.tmp$/.exec(entry)?.[1] ?? "";
  return isDispatcherId(dispatcher) ? dispatcher : undefined;
}

/** Second name of an announcement, in `jobpod/`. */
export function pulseName(worker: string): string {
  return `.${worker}.pulse`;
}

/** Worker of an entry of `jobpod/` that is the second name of an announcement; otherwise undefined. */
export function workerOfPulse(entry: string): string | undefined {
  return /^\.(.+)\.pulse$/.exec(entry)?.[1];
}

/** Mark of an edit, in `jobpod/`. */
export function editName(file: string): string {
  return `.${file}.edit`;
}

/** Job file of an entry of `jobpod/` that is the mark of an edit; otherwise undefined. */
export function fileOfEdit(entry: string): string | undefined {
  return /^\.(.+)\.edit$/s.exec(entry)?.[1];
}

/** Desk of a lost worker, in `jobpod/`. */
export function fencedName(worker: string): string {
  return worker + FENCED;
}

/** Kind of an entry of `jobpod/`, and its worker; undefined if the entry is not a worker's desk. */
export function deskKind(entry: string): { kind: "desk" | "fenced"; worker: string } | undefined {
  if (entry === RETRY_DESK || entry.startsWith(".")) return undefined;
  if (entry.endsWith(FENCED)) return { kind: "fenced", worker: entry.slice(0, -FENCED.length) };
  return { kind: "desk", worker: entry };
}

/** The properties of a job file that become part of its name on the retry desk (`store/stamp.ts`). */
interface Mark {
  readonly ino: number;
  readonly mtimeMs: number;
}

/**
 * Name of a job file that waits on the retry desk behind another job with the same name. The inode number makes the name unique,
 * or the modification time if the inode number is unknown (0). The number is written in a short form, because names may be long.
 */
export function behindName(file: string, mark: Mark): string {
  return `.${file}.${mark.ino === 0 ? bySecond(mark) : byInode(mark)}`;
}

/**
 * Name of the job file, for an entry of the retry desk that waits behind another job; otherwise undefined.
 *
 * @param mark mark of the entry
 */
export function fileBehind(entry: string, mark: Mark): string | undefined {
  const [, file, tail = ""] = /^\.(.+)\.([0-9a-z]{1,13})$/.exec(entry) ?? [];
  if (mark.ino === 0) return tail === "tmp" ? undefined : file; // another host may have named the file by its inode number
  return [byInode(mark), bySecond(mark)].includes(tail) ? file : undefined;
}

function byInode({ ino }: Mark): string {
  return ino.toString(36);
}

function bySecond({ mtimeMs }: Mark): string {
  return Math.floor(mtimeMs / 1000).toString(36);
}

/** Note on a desk that asks the worker to cancel or hold a job. */
export function cancelRequestName(id: string): string {
  return `.ask.${id}`;
}

/** Whether an entry of a desk is such a note. */
export function isCancelRequest(entry: string): boolean {
  return entry.startsWith(".ask.");
}

/** Directory in `jobarrays/` that a rename turns into the directory of an array. */
export function newArrayName(name: string, id: string): string {
  return `.${name}.${id}.new`;
}

/** Array of an entry of `jobarrays/` that will become the array's directory; otherwise undefined. */
export function arrayOfNew(entry: string): string | undefined {
  return /^\.(.+)\.[^.]+\.new$/.exec(entry)?.[1];
}

/** Directory in `jobarrays/` of an array that is being removed. */
export function oldArrayName(name: string, id: string): string {
  return `.${name}.${id}.old`;
}

/** Array of an entry of `jobarrays/` that is being removed; otherwise undefined. */
export function arrayOfOld(entry: string): string | undefined {
  return /^\.(.+)\.[^.]+\.old$/.exec(entry)?.[1];
}

/** Whether an id has the form of a dispatcher's id. */
export function isDispatcherId(id: string): boolean {
  return /-d-[a-z0-9]+$/.test(id);
}

/** Key of a dispatcher, in `jobpod/`. */
export function dispatcherKeyName(dispatcher: string): string {
  return `.${dispatcher}.key`;
}

/** Whether an entry of `jobpod/` is the key of a dispatcher. */
export function isDispatcherKey(entry: string): boolean {
  return entry.startsWith(".") && entry.endsWith(".key") && isDispatcherId(entry.slice(1, -".key".length));
}

/** Worker or dispatcher of an entry of `daemonlogs/`: `W.log`, `W.log.1` after rotation, or `W.out`. */
export function actorOfDaemonLog(entry: string): string {
  return entry.replace(/\.(?:out|log(?:\.\d+)?)$/, "");
}
