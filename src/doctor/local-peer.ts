import fs from "node:fs";
import path from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { Layout } from "../project/layout.js";
import { acquireDispatcherLock } from "../spool/dispatcher-lock.js";
import { hostName, newActorId, ownPidSpace } from "../spool/identity.js";
import type { Lock } from "../spool/lock.js";
import { Locksmith } from "../spool/locksmith.js";
import { systemClock } from "../store/clock.js";
import { errnoOf } from "../store/errno.js";
import { openStore } from "../store/open-store.js";
import { isErrno, isSystemError, type Store } from "../store/store.js";
import {
  CHANGED,
  type Greeting,
  type GreetTask,
  type Hold,
  type LockKind,
  now,
  type PeerProcess,
  type RaceResult,
  type RaceTask,
} from "./peer-process.js";

/** Longest time to hold a lock, in ms. */
const LONGEST_HOLD = 3;
/** Longest pause between two holds, in ms. */
const LONGEST_PAUSE = 4;
/** After this time the peer starts no more holds, in ms. */
const HOLDING_ENDS = 15_000;
/** Seconds between two heartbeats of a local project. They make a dispatcher's lock stale after 10 s. */
const BEAT = 2;

/** The job that is locked, and the desk that holds it. */
export const LOCKED = { desk: "desk", job: "job.ini" } as const;

type Opener = (said: GreetTask["store"]) => Store;

/** Peer that does its work in this process. */
export class LocalPeer implements PeerProcess {
  readonly #scratch: string;
  readonly #version: string;
  readonly #open: Opener;
  #opened: Store | undefined;

  /** @param open opens the store. Tests give a store of their own */
  constructor(scratch: string, version: string, open: Opener = (said) => openStore(scratch, said)) {
    this.#scratch = scratch;
    this.#version = version;
    this.#open = open;
  }

  get #store(): Store {
    if (this.#opened === undefined) throw new Error("greet must be called first");
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

  create({ dir, count, at }: RaceTask): Promise<RaceResult> {
    return race(count, at, "EEXIST", (n) => this.#store.create(this.#path(dir, String(n)), "", false));
  }

  rename({ dir, count, at, who }: RaceTask & { who: string }): Promise<RaceResult> {
    const run = async (n: number) =>
      this.#store.rename(this.#path(dir, String(n)), this.#path(dir, `${n}.${who}`));
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
        await systemClock.sleep(Math.random() * LONGEST_HOLD);
        holds.push({ from, to: now() });
        await lock.release();
      }
      await systemClock.sleep(Math.random() * LONGEST_PAUSE);
    }
    await close();
    return holds;
  }

  async #lockOf(kind: LockKind): Promise<{ take(): Promise<Lock | undefined>; close(): Promise<void> }> {
    const layout = new Layout(this.#scratch);
    const store = this.#store;
    const me = newActorId("d");
    const onCompromised = () => undefined; // overlapping holds show a lost lock
    if (kind === "seat") {
      const take = () => acquireDispatcherLock(store, layout.dispatcherLock, me, BEAT, onCompromised);
      return { take, close: async () => undefined };
    }
    const locksmith = await Locksmith.open({ store, layout }, me);
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
): Promise<RaceResult> {
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

/** Waits until a time by `now()`. Timers are not exact enough for a race, so the last 3 ms are a loop. */
async function until(at: number): Promise<void> {
  const left = at - now();
  if (left > 3) await systemClock.sleep(left - 3);
  while (now() < at);
}
