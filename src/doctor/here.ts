import fs from "node:fs";
import path from "node:path";
import { setTimeout as delay, setImmediate as turn } from "node:timers/promises";
import { Layout } from "../project/layout.js";
import { errnoOf } from "../spool/errno.js";
import { hostName, newActorId, ownPidSpace } from "../spool/identity.js";
import { type Lock, Locksmith, lockSeat } from "../spool/lock.js";
import { openStore } from "../spool/open-store.js";
import { isErrno, isSystemError, type Store } from "../spool/store.js";
import {
  CHANGED,
  type Greeting,
  type GreetTask,
  type Hold,
  type LockKind,
  now,
  type Party,
  type RaceTask,
  type Run,
} from "./party.js";

/** A lock is held and let alone for up to so long, ms. */
const HELD = 3;
const LET_ALONE = 4;
/** After so long, ms, no more holds are begun. */
const HOLDING_ENDS = 15_000;
/** The beat of a local project: it makes the seat's lock stale after 10 s. */
const BEAT = 2;

/** The job that is locked, and where. */
export const LOCKED = { desk: "desk", job: "job.ini" } as const;

type Opener = (said: GreetTask["store"]) => Store;

/** A party in this process. */
export class Here implements Party {
  readonly #scratch: string;
  readonly #version: string;
  readonly #open: Opener;
  #opened: Store | undefined;

  /** @param open a test's own store */
  constructor(scratch: string, version: string, open: Opener = (said) => openStore(scratch, said)) {
    this.#scratch = scratch;
    this.#version = version;
    this.#open = open;
  }

  get #store(): Store {
    if (this.#opened === undefined) throw new Error("greet comes first");
    return this.#opened;
  }

  #path(...names: string[]): string {
    return path.join(this.#scratch, ...names);
  }

  async greet(task: GreetTask): Promise<Greeting> {
    const self = { version: this.#version, host: hostName(), space: ownPidSpace() };
    try {
      if (fs.readFileSync(this.#path("mark"), "utf8") !== task.mark) throw new Error("another directory");
      this.#opened = this.#open(task.store);
      return { ...self, sees: true, kind: this.#opened.kind };
    } catch {
      return { ...self, sees: false, kind: undefined };
    }
  }

  async clock(): Promise<number> {
    return now();
  }

  create({ dir, count, at }: RaceTask): Promise<Run> {
    return race(count, at, "EEXIST", (n) => this.#store.create(this.#path(dir, String(n)), "", false));
  }

  rename({ dir, count, at, who }: RaceTask & { who: string }): Promise<Run> {
    const { rename } = this.#store;
    const run = (n: number) =>
      rename.call(this.#store, this.#path(dir, String(n)), this.#path(dir, `${n}.${who}`));
    return race(count, at, "ENOENT", run);
  }

  async replace({ file, size, times }: { file: string; size: number; times: number }): Promise<void> {
    const temporary = this.#path(`.${file}.tmp`);
    for (let n = 0; n < times; n++) {
      await this.#store.create(temporary, String(n % 10).repeat(size), false);
      await this.#store.rename(temporary, this.#path(file));
      await turn();
    }
  }

  async hold({ kind, times, at }: { kind: LockKind; times: number; at: number }): Promise<Hold[]> {
    const { take, close } = await this.#lockOf(kind);
    const holds: Hold[] = [];
    await until(at);
    const end = performance.now() + HOLDING_ENDS;
    while (holds.length < times && performance.now() < end) {
      const lock = await take();
      if (lock !== undefined) {
        const from = now();
        await delay(Math.random() * HELD);
        holds.push({ from, to: now() });
        await lock.release();
      }
      await delay(Math.random() * LET_ALONE);
    }
    await close();
    return holds;
  }

  async #lockOf(kind: LockKind): Promise<{ take(): Promise<Lock | undefined>; close(): Promise<void> }> {
    const layout = new Layout(this.#scratch);
    const store = this.#store;
    const me = newActorId("d");
    const onCompromised = () => undefined; // the overlap of the holds shows it
    if (kind === "seat") {
      const take = () => lockSeat(store, layout.seat, me, BEAT, onCompromised);
      return { take, close: async () => undefined };
    }
    const locksmith = await Locksmith.open(store, layout, me);
    const job = layout.onDesk(LOCKED.desk, LOCKED.job);
    return { take: () => locksmith.lock(job, onCompromised), close: () => locksmith.close() };
  }

  async change(): Promise<void> {
    const at = (name: string) => this.#path("delays", name);
    await this.#store.create(at(".tmp"), "new", false);
    await this.#store.rename(at(".tmp"), at(CHANGED.replaced));
    await this.#store.overwrite(at(CHANGED.rewritten), "new");
    await this.#store.unlink(at(CHANGED.removed));
    await this.#store.create(at(CHANGED.made), "new", false);
  }

  make(file: string): Promise<void> {
    return this.#store.create(this.#path(file), "", false);
  }
}

async function race(
  count: number,
  at: number,
  loser: string,
  run: (n: number) => Promise<void>,
): Promise<Run> {
  const won: number[] = [];
  const errors = new Set<string>();
  await until(at);
  for (let n = 0; n < count; n++) {
    try {
      await run(n);
      won.push(n);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      if (!isErrno(error, loser)) errors.add(errnoOf(error));
    }
  }
  return { won, errors: [...errors] };
}

/** To the fraction of a millisecond, which timers are not. */
async function until(at: number): Promise<void> {
  const left = at - now();
  if (left > 3) await delay(left - 3);
  while (now() < at);
}
