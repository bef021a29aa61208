import fs from "node:fs";
import { entryIn } from "../project/layout.js";
import { factsIfReadable } from "../store/file-facts.js";
import { type FileFacts, isDenied, type Soon, type Store } from "../store/store.js";
import { temporaryIn } from "../store/temporary.js";
import type { WriteProbe } from "./write-probe.js";

/**
 * Shortest time in ms by which the change time must be later than the modification time. A rename or the end of `cp -p` causes
 * such a difference, and then the file is complete.
 */
const FINISHED = 10;
/** Number of files for which the kernel is asked one by one. For more files, one look at all open files costs less. */
const ONE_BY_ONE = 8;
/** Longest time in ms by which the kernel's times of files are behind its clock. */
const COARSE = 20;
/** Time in ms after which an unchanged file counts as complete although a process has it open for writing. */
const FORGOTTEN = 60_000;

/**
 * S1: tells whether a file in the queue is complete. Each of the three rules uses one clock only:
 * 1. The change time is later than the modification time. Then the file was renamed into the queue.
 * 2. The file is on a local file system and belongs to this user. Then it is complete if no process has it open for writing. It
 *    is also complete if it has not changed for a minute, because its writer has probably forgotten to close it.
 * 3. Any other file has to be unchanged for the settle time, by the clock of the *store*. The same holds for every empty file,
 *    because `touch` and many editors close a file before they fill it.
 *
 * One instance serves one listing of the queue. It reads the store's clock and the list of open files only once.
 */
export class Settling {
  readonly #store: Store;
  readonly #queue: string;
  readonly #settle: number;
  readonly #uid = process.getuid?.();
  #now: number | undefined;
  readonly #probe: WriteProbe | undefined;
  #asked = 0;
  /** The files that were open for writing at a time in ms since 1970. A file that has changed since needs a new look. */
  #scan: { readonly at: number; readonly written: ReadonlySet<string> } | undefined;

  /** @param settle the settle time, in seconds @param probe left out by a caller that asks only once */
  constructor(store: Store, queue: string, settle: number, probe?: WriteProbe) {
    this.#store = store;
    this.#queue = queue;
    this.#settle = settle * 1000;
    this.#probe = probe;
  }

  isSettled(file: string, facts: FileFacts): Soon<boolean> {
    if (facts.ctimeMs - facts.mtimeMs > FINISHED) return true;
    const { kind, clock } = this.#store;
    if (kind === "network") return this.#hasRested(facts);
    const age = clock.wall() - facts.ctimeMs;
    const rested = age >= this.#settle;
    if (!this.#showsWriters(facts)) return rested;
    if (age >= FORGOTTEN) return true;
    if (facts.size === 0 && !rested) return false;
    // Nobody has written to the file since the open files were listed, so the list still holds.
    if (this.#knows(facts)) return !this.#scan?.written.has(file);
    return this.#isFinished(file, facts);
  }

  /** Whether the list of open files is newer than the last change of a file. */
  #knows({ ctimeMs }: FileFacts): boolean {
    return this.#scan !== undefined && ctimeMs <= this.#scan.at - COARSE;
  }

  async #hasRested({ ctimeMs }: FileFacts): Promise<boolean> {
    return (await this.#storeTime()) - ctimeMs >= this.#settle;
  }

  async #isFinished(file: string, facts: FileFacts): Promise<boolean> {
    return !(await this.#isWritten(file)) && (await this.#isUnchanged(file, facts));
  }

  /** Whether a process has the file open for writing now. */
  async #isWritten(file: string): Promise<boolean> {
    if (this.#asked++ < ONE_BY_ONE) {
      const isWritten = await this.#probe?.isWritten(entryIn(this.#queue, file));
      if (isWritten !== undefined) return isWritten;
    }
    this.#scan = { at: this.#store.clock.wall(), written: openForWriting(this.#queue) };
    return this.#scan.written.has(file);
  }

  /** Whether the file is as it was read. A writer may have filled and closed it since. */
  async #isUnchanged(file: string, { ino, size, mtimeMs }: FileFacts): Promise<boolean> {
    const now = await factsIfReadable(this.#store, entryIn(this.#queue, file));
    return now?.ino === ino && now.size === size && now.mtimeMs === mtimeMs;
  }

  /** Whether `/proc` shows the processes that may write the file. */
  #showsWriters(facts: FileFacts): boolean {
    return this.#store.kind === "local" && process.platform === "linux" && facts.uid === this.#uid;
  }

  async #storeTime(): Promise<number> {
    this.#now ??= await storeTime(this.#store, this.#queue);
    return this.#now;
  }
}

/**
 * Time now in ms, by the clock that sets the times of files. On a network file system the time is read from a new file in `dir`.
 * If this process is killed before it removes the file, `abandoned-files.ts` removes it later.
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
 * Names of the files in a directory that any process has open for writing, as far as `/proc` shows processes to this user
 * (proc(5): fd, fdinfo).
 */
function openForWriting(dir: string): Set<string> {
  const found = new Set<string>();
  const prefix = `${fs.realpathSync(dir)}/`;
  const countsOpen = fs.lstatSync("/proc/self/fd").size > 0;
  for (const pid of fs.readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    // Half of all processes are threads of the kernel without open files. Since Linux 6.2, the size of their `fd` directory is 0.
    if (countsOpen && quietly(() => fs.lstatSync(`/proc/${pid}/fd`).size) === 0) continue;
    for (const fd of quietly(() => fs.readdirSync(`/proc/${pid}/fd`)) ?? []) {
      const target = targetOf(`/proc/${pid}/fd/${fd}`);
      if (target === "denied") break; // the system denies the other files of this process, too
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
    return isDenied(error) ? "denied" : undefined;
  }
}

/** Result of a call; undefined if the call fails. A call fails when the process has ended, or belongs to another user. */
function quietly<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch {
    return undefined;
  }
}
