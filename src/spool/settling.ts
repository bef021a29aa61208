import fs from "node:fs";
import path from "node:path";
import { type FileFacts, isDenied, type Store } from "./store.js";
import { temporaryIn } from "./temporary.js";

/** ctime this much (ms) after mtime: after the last write came a rename, or `cp -p` set the times: it is whole. */
const FINISHED = 10;
/** A file that is open for writing and has not changed for so long (ms) will not be. */
const FORGOTTEN = 60_000;

/**
 * S1's other side: tells whether a file in the queue has been written to its end. Three ways, each by one clock:
 * 1. its change time is later than its modification time: it was renamed into place;
 * 2. on this host's own file system, where the file is ours: no process of ours has it open for writing. It may have
 *    been held open so for a minute without a change, then its writer has forgotten it;
 * 3. elsewhere: it has not changed for the settle time, by the *store's* clock. An empty file everywhere: `touch` and
 *    many an editor close it before they fill it.
 *
 * One instance serves one look at the queue: what it asks the system it asks once.
 */
export class Settling {
  readonly #store: Store;
  readonly #queue: string;
  readonly #settle: number;
  #now: number | undefined;
  #writers: Set<string> | undefined;

  /** @param settle seconds */
  constructor(store: Store, queue: string, settle: number) {
    this.#store = store;
    this.#queue = queue;
    this.#settle = settle * 1000;
  }

  async isSettled(file: string, facts: FileFacts): Promise<boolean> {
    if (facts.ctimeMs - facts.mtimeMs > FINISHED) return true;
    const age = (await this.#storeTime()) - facts.ctimeMs;
    const rested = age >= this.#settle;
    if (!this.#showsWriters(facts)) return rested;
    if (age >= FORGOTTEN) return true;
    if (facts.size === 0 && !rested) return false;
    if (this.#writers !== undefined) return !this.#writers.has(file);
    this.#writers = openForWriting(this.#queue);
    return !this.#writers.has(file) && (await this.#isUnchanged(file, facts));
  }

  /** The file was read before its writers were looked for: it may have been filled and closed in between. */
  async #isUnchanged(file: string, { size, mtimeMs }: FileFacts): Promise<boolean> {
    const now = await this.#store.facts(path.join(this.#queue, file)).catch(() => undefined);
    return now?.size === size && now.mtimeMs === mtimeMs;
  }

  /** Whether this host would show us who writes the file. */
  #showsWriters(facts: FileFacts): boolean {
    return this.#store.kind === "local" && process.platform === "linux" && facts.uid === process.getuid?.();
  }

  async #storeTime(): Promise<number> {
    this.#now ??= await storeTime(this.#store, this.#queue);
    return this.#now;
  }
}

/**
 * Now, by the clock that stamps the files, ms: on a network file system, a file of one's own in `dir` tells it. Killed before it is
 * removed: in the queue it is cleared up as an abandoned one.
 */
export async function storeTime(store: Store, dir: string): Promise<number> {
  if (store.kind === "local") return store.clock.wall();
  const canary = temporaryIn(dir);
  await store.create(canary, "", false);
  const { ctimeMs } = await store.facts(canary);
  await store.unlink(canary);
  return ctimeMs;
}

/**
 * Names of the files in a directory that some process has open for writing, as far as `/proc` (proc(5): fd,
 * fdinfo) shows them to this user.
 */
function openForWriting(dir: string): Set<string> {
  const found = new Set<string>();
  const prefix = `${fs.realpathSync(dir)}/`;
  const countsOpen = fs.lstatSync("/proc/self/fd").size > 0;
  for (const pid of fs.readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    // The kernel's own processes, half of all, have none open. Since Linux 6.2 the size of the directory says so.
    if (countsOpen && quietly(() => fs.lstatSync(`/proc/${pid}/fd`).size) === 0) continue;
    for (const fd of quietly(() => fs.readdirSync(`/proc/${pid}/fd`)) ?? []) {
      const target = targetOf(`/proc/${pid}/fd/${fd}`);
      if (target === "closed to us") break; // then all of the process's are: asking for each would take long
      if (!target?.startsWith(prefix)) continue;
      const info = quietly(() => fs.readFileSync(`/proc/${pid}/fdinfo/${fd}`, "utf8"));
      const flags = Number.parseInt(/flags:\s*(\d+)/.exec(info ?? "")?.[1] ?? "0", 8);
      if ((flags & (fs.constants.O_WRONLY | fs.constants.O_RDWR)) !== 0)
        found.add(target.slice(prefix.length));
    }
  }
  return found;
}

function targetOf(link: string): string | undefined {
  try {
    return fs.readlinkSync(link);
  } catch (error) {
    return isDenied(error) ? "closed to us" : undefined;
  }
}

/** Processes end while they are looked at, and other users' are closed to us. */
function quietly<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
