import { formatIni, type IniReading, parseIni } from "../job/ini-dialect.js";
import { visible } from "../job/quote.js";
import { workerOfAnnouncement } from "../project/entry-names.js";
import { ifThere } from "../store/file-facts.js";
import type { Site } from "../store/site.js";
import { isErrno, isFull, isSystemError } from "../store/store.js";
import { type Liveness, livenessOf, type ProcessIdentity } from "./identity.js";

/** Content of `workerqueue/W.ini`: the worker's description of itself. */
export interface Announcement {
  readonly worker: string;
  readonly host: string;
  readonly process: ProcessIdentity;
  /** `leaving`: the worker finishes its job and takes no more. `stalled`: it cannot write, for example on a full disk. */
  readonly state: "idle" | "busy" | "leaving" | "stalled";
  /** Heartbeat: a number that grows while the worker lives (S7). */
  readonly beat: number;
  readonly slots: number;
  /** Average time from claim to claim of its latest jobs, in seconds; 0 before the first job. */
  readonly pace: number;
  /** Standard deviation of that time, in seconds. */
  readonly spread: number;
  /** Process group of its jobs: `pid:start token`; empty if it has none. */
  readonly group: string;
  readonly directory: string;
  /** ISO 8601, by the clock of the worker. People read this time, but fjord compares nothing with it. */
  readonly since: string;
  readonly log: string;
  /** Job that runs now. */
  readonly job?: { readonly name: string; readonly attempt: number; readonly started: string };
}

const LIMIT = 64 * 1024;
const BLOCK = 1024;
/** Number of attempts to read a file that is being overwritten. */
const TORN_LOOKS = 3;

/** Escapes a value so that it fits on one line and can be read back unchanged. */
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
      beat: String(a.beat), // also in [end]: a reader of a half-written file sees two different numbers
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
  // Pads the text to whole blocks, because a file that keeps its length can be overwritten in place on a full disk.
  return text + "\n".repeat(BLOCK - (Buffer.byteLength(text) % BLOCK));
}

/**
 * Announcement that fits into one block. A text without its end looks half-written, and readers would then ignore the heartbeat.
 */
function shortened({ job: _, ...rest }: Announcement): Announcement {
  return { ...rest, directory: "", log: "" };
}

/**
 * S7: writes the announcement. On a local file system it overwrites the file in place, through a second name in `jobpod/`. This
 * creates no inode, and causes no event in `workerqueue/`. A reader of a half-written file finds two heartbeats and accepts
 * neither.
 *
 * On a network file system, and when the text is longer than before, it renames a temporary file. On a full disk it overwrites
 * the file in place.
 *
 * @param rings whether to cause an event in `workerqueue/`
 */
export async function announce(site: Site, announcement: Announcement, rings = true): Promise<void> {
  const { store, layout } = site;
  const { worker } = announcement;
  const path = layout.announcement(worker);
  const text = format(announcement);
  // The first announcement replaces no file, so it needs no temporary file. A temporary file of a worker that is killed here
  // would belong to a worker that nobody knows.
  if (announcement.beat === 1) return store.create(path, text, false);
  if (store.kind === "local" && (await hasPulse(site, worker, Buffer.byteLength(text)))) {
    await store.overwrite(layout.pulse(worker), text);
    if (rings) await store.touch(path, store.clock.wall());
    return;
  }
  try {
    await replaceAnnouncement(site, worker, text);
  } catch (error) {
    if (!isFull(error)) throw error;
    const { size } = await store.facts(path);
    await store.overwrite(path, Buffer.byteLength(text) <= size ? text : format(shortened(announcement)));
  }
  if (store.kind === "local") await linkPulse(site, worker);
}

/** Whether the second name leads to the announcement, and the file has the length of the new text. */
async function hasPulse(site: Site, worker: string, size: number): Promise<boolean> {
  const { store, layout } = site;
  const pulse = await ifThere(store.facts(layout.pulse(worker)));
  if (pulse?.size !== size) return false;
  return pulse.ino === (await ifThere(store.facts(layout.announcement(worker))))?.ino;
}

async function replaceAnnouncement(site: Site, worker: string, text: string): Promise<void> {
  const { store, layout } = site;
  const temporary = layout.announcementTemporary(worker);
  await store.create(temporary, text, false).catch(async (error) => {
    if (!isErrno(error, "EEXIST")) throw error;
    await store.unlink(temporary); // an earlier heartbeat of this worker failed and left the file
    await store.create(temporary, text, false);
  });
  await store.rename(temporary, layout.announcement(worker));
}

/** Makes the second name. On a file system without hard links, every heartbeat renames a temporary file. */
async function linkPulse(site: Site, worker: string): Promise<void> {
  const { store, layout } = site;
  const pulse = layout.pulse(worker);
  try {
    await ifThere(store.unlink(pulse));
    await store.link(layout.announcement(worker), pulse);
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}

/** Reads the announcement of a worker. @returns undefined if there is no announcement, or it cannot be read */
export async function readAnnouncement(site: Site, worker: string): Promise<Announcement | undefined> {
  const { store, layout } = site;
  for (let look = 0; look < TORN_LOOKS; look++) {
    let bytes: Uint8Array;
    try {
      bytes = (await store.read(layout.announcement(worker), LIMIT)).bytes;
    } catch (error) {
      if (isErrno(error, "ESTALE")) continue; // the worker replaced the file meanwhile
      if (isErrno(error, "ENOENT", "ELOOP", "EACCES")) return undefined;
      throw error;
    }
    const parsed = parseIni(bytes);
    if (!parsed.ok) continue; // a half-written file may hold a section twice
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
 * Liveness of a worker's process, as far as this host can tell. A worker that leaves removes its announcement before it ends. So
 * a process that has ended counts as `dead` only if its announcement still exists after this check.
 */
export async function livenessOfWorker(site: Site, announcement: Announcement): Promise<Liveness> {
  const { store, layout } = site;
  const liveness = livenessOf(announcement.process);
  if (liveness !== "dead") return liveness;
  return (await store.has(layout.announcement(announcement.worker))) ? "dead" : "unknown";
}

/** Ids of all workers that have an announcement. */
export async function listAnnounced(site: Site): Promise<string[]> {
  const { store, layout } = site;
  return (await store.list(layout.workerqueue))
    .map((name) => workerOfAnnouncement(name))
    .filter((id) => id !== undefined);
}

/**
 * Removes the files of a worker. The announcement is removed last. If this call is killed, the dispatcher finds the announcement
 * and removes the rest.
 */
export async function withdrawAnnouncement(site: Site, worker: string): Promise<void> {
  const { store, layout } = site;
  for (const path of [
    layout.announcementTemporary(worker),
    layout.pulse(worker),
    layout.announcement(worker),
  ]) {
    await ifThere(store.unlink(path));
  }
}
