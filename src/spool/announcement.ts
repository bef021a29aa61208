import { formatIni, type IniReading, parseIni } from "../job/ini-dialect.js";
import { visible } from "../job/quote.js";
import type { Layout } from "../project/layout.js";
import { type Liveness, livenessOf, type ProcessIdentity } from "./identity.js";
import { isErrno, isFull, isSystemError, type Store } from "./store.js";

/** What a worker says of itself in `workerqueue/W.ini`. */
export interface Announcement {
  readonly worker: string;
  readonly host: string;
  readonly process: ProcessIdentity;
  /** `leaving`: finishes its job, takes no more. `stalled`: the store takes nothing, a full disk say. */
  readonly state: "idle" | "busy" | "leaving" | "stalled";
  /** Only grows; that it moves is the sign of life (S7). */
  readonly beat: number;
  readonly slots: number;
  /** Seconds that its latest jobs took on the average, from claim to claim; 0 before the first. */
  readonly pace: number;
  /** How far from that they were, seconds (standard deviation). */
  readonly spread: number;
  /** The process group that its jobs run in: `pid:start token`. Empty when it has none. */
  readonly group: string;
  readonly directory: string;
  /** ISO 8601, the worker's own clock: shown to people, compared with nothing. */
  readonly since: string;
  readonly log: string;
  /** What it runs now. */
  readonly job?: { readonly name: string; readonly attempt: number; readonly started: string };
}

const LIMIT = 64 * 1024;
const BLOCK = 1024;
/** One that is being written over is looked at so often. */
const TORN_LOOKS = 3;

/** A value that stands on one line and reads back the same. */
function shown(text: string): string {
  return visible(text).trim();
}

function format(a: Announcement): string {
  const text = formatIni({
    worker: {
      id: a.worker,
      host: a.host,
      pid: String(a.process.pid),
      start: a.process.start,
      space: a.process.space,
      beat: String(a.beat), // before all that changes, as [end] is after it
      state: a.state,
      slots: String(a.slots),
      pace: a.pace.toPrecision(3),
      spread: a.spread.toPrecision(3),
      group: a.group,
      directory: shown(a.directory),
      since: a.since,
      log: shown(a.log),
    },
    ...(a.job && {
      job: { name: shown(a.job.name), attempt: String(a.job.attempt), started: a.job.started },
    }),
    end: { beat: String(a.beat) },
  });
  // A fixed length can be written over in place when the disk is full.
  return text + "\n".repeat(BLOCK - (Buffer.byteLength(text) % BLOCK));
}

/** What fits into one block: cut off at its end, it would look torn, and its worker silent. */
function shortened({ job: _, ...rest }: Announcement): Announcement {
  return { ...rest, directory: "", log: "" };
}

/**
 * S7: writes the announcement. On a local file system it is written over in place, through a second name elsewhere: no
 * inode is made and freed at each beat, and nobody who watches `workerqueue/` hears it. A reader that meets it half-way
 * finds two beats in it and takes neither. Else, and when it has become longer: temporary file, rename. On a full disk in
 * place again.
 *
 * @param rings whether who watches is to hear it
 */
export async function announce(
  store: Store,
  layout: Layout,
  announcement: Announcement,
  rings = true,
): Promise<void> {
  const { worker } = announcement;
  const path = layout.announcement(worker);
  const text = format(announcement);
  // The first one: there is nothing to be kept whole, and no temporary file whose worker nobody knows is left behind.
  if (announcement.beat === 1) return store.create(path, text, false);
  if (store.kind === "local" && (await hasPulse(store, layout, worker, Buffer.byteLength(text)))) {
    await store.overwrite(layout.pulse(worker), text);
    if (rings) await store.touch(path, store.clock.wall());
    return;
  }
  try {
    await replaceAnnouncement(store, layout, worker, text);
  } catch (error) {
    if (!isFull(error)) throw error;
    const { size } = await store.facts(path);
    await store.overwrite(path, Buffer.byteLength(text) <= size ? text : format(shortened(announcement)));
  }
  if (store.kind === "local") await linkPulse(store, layout, worker);
}

/** Whether the second name is that of the announcement, and as long as what is to be written. */
async function hasPulse(store: Store, layout: Layout, worker: string, size: number): Promise<boolean> {
  try {
    const pulse = await store.facts(layout.pulse(worker));
    return pulse.size === size && pulse.ino === (await store.facts(layout.announcement(worker))).ino;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
}

async function replaceAnnouncement(
  store: Store,
  layout: Layout,
  worker: string,
  text: string,
): Promise<void> {
  const temporary = layout.announcementTemporary(worker);
  await store.create(temporary, text, false).catch(async (error) => {
    if (!isErrno(error, "EEXIST")) throw error;
    await store.unlink(temporary); // one's own, from an earlier beat that failed half-way
    await store.create(temporary, text, false);
  });
  await store.rename(temporary, layout.announcement(worker));
}

/** Where there are no hard links, each beat is written as this one was. */
async function linkPulse(store: Store, layout: Layout, worker: string): Promise<void> {
  const pulse = layout.pulse(worker);
  try {
    await store.unlink(pulse).catch((error) => {
      if (!isErrno(error, "ENOENT")) throw error;
    });
    await store.link(layout.announcement(worker), pulse);
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}

/** Reads one announcement; undefined when it is gone or not (yet) readable as one. */
export async function readAnnouncement(
  store: Store,
  layout: Layout,
  worker: string,
): Promise<Announcement | undefined> {
  for (let look = 0; look < TORN_LOOKS; look++) {
    let bytes: Uint8Array;
    try {
      bytes = (await store.read(layout.announcement(worker), LIMIT)).bytes;
    } catch (error) {
      if (isErrno(error, "ESTALE")) continue; // replaced before it was read
      if (isErrno(error, "ENOENT", "ELOOP", "EACCES")) return undefined;
      throw error;
    }
    const parsed = parseIni(bytes);
    if (!parsed.ok) continue; // a header may stand twice where the old text is longer
    const announcement = announcementOf(worker, parsed);
    if (parsed.sections.get("end")?.get("beat") === String(announcement?.beat)) return announcement;
  }
  return undefined;
}

function announcementOf(worker: string, parsed: IniReading & { ok: true }): Announcement | undefined {
  const w = parsed.sections.get("worker");
  const beat = Number(w?.get("beat") ?? Number.NaN);
  if (w === undefined || w.get("id") !== worker || !Number.isSafeInteger(beat)) return undefined;
  const j = parsed.sections.get("job");
  const state = w.get("state");
  return {
    worker,
    host: w.get("host") ?? "",
    process: { pid: Number(w.get("pid")), start: w.get("start") ?? "", space: w.get("space") ?? "" },
    state: state === "idle" || state === "leaving" || state === "stalled" ? state : "busy",
    beat,
    slots: Number(w.get("slots") ?? 1),
    pace: Number(w.get("pace") ?? 0) || 0,
    spread: Number(w.get("spread") ?? 0) || 0,
    group: w.get("group") ?? "",
    directory: w.get("directory") ?? "",
    since: w.get("since") ?? "",
    log: w.get("log") ?? "",
    ...(j && {
      job: {
        name: j.get("name") ?? "",
        attempt: Number(j.get("attempt") ?? 0),
        started: j.get("started") ?? "",
      },
    }),
  };
}

/**
 * What this host knows of a worker's process. One that leaves withdraws its announcement before it ends: `dead` is only
 * said of a process that is gone while its announcement is, after that, still there.
 */
export async function livenessOfWorker(
  store: Store,
  layout: Layout,
  announcement: Announcement,
): Promise<Liveness> {
  const liveness = livenessOf(announcement.process);
  if (liveness !== "dead") return liveness;
  return (await store.has(layout.announcement(announcement.worker))) ? "dead" : "unknown";
}

/** The workers that are announced, by id. */
export async function listAnnounced(store: Store, layout: Layout): Promise<string[]> {
  return (await store.list(layout.workerqueue))
    .map((name) => layout.workerOf(name))
    .filter((id) => id !== undefined);
}

/** The announcement goes last: as long as it is there, somebody will come to clear up. */
export async function withdrawAnnouncement(store: Store, layout: Layout, worker: string): Promise<void> {
  for (const path of [
    layout.announcementTemporary(worker),
    layout.pulse(worker),
    layout.announcement(worker),
  ]) {
    await store.unlink(path).catch((error) => {
      if (!isErrno(error, "ENOENT")) throw error;
    });
  }
}
