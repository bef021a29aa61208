import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { Arrays } from "../../src/dispatcher/arrays.js";
import { rangesOf } from "../../src/job/numbers.js";
import { Layout } from "../../src/project/layout.js";
import { changeParts } from "../../src/spool/array-changes.js";
import type { PartKind } from "../../src/spool/array-parts.js";
import { beginArray } from "../../src/spool/arrays.js";
import { openStore } from "../../src/store/open-store.js";
import type { Store } from "../../src/store/store.js";
import { siteOf } from "../rig/site.js";

/** A file system in memory if there is one, because the tests make a few hundred thousand calls. */
const MEMORY = fs.existsSync("/dev/shm") ? "/dev/shm" : os.tmpdir();
/** Methods of a store that change something. */
const CHANGES: ReadonlySet<string> = new Set([
  "create",
  "rename",
  "unlink",
  "mkdir",
  "rmdir",
  "touch",
  "link",
]);

/** A project with an array `A`, whose jobs leave the queue as soon as they arrive. */
export class ArrayProject {
  readonly layout = new Layout(fs.mkdtempSync(path.join(MEMORY, "fjord-arrays-")));
  readonly store = openStore(this.layout.root, "local");
  readonly site = siteOf(this.store, this.layout);
  /** Numbers that arrived in the queue, each with the word from the command of its array's file: `one 7`. */
  readonly made: string[] = [];
  readonly troubles: string[] = [];

  constructor() {
    for (const dir of [this.layout.jobqueue, this.layout.jobarrays]) fs.mkdirSync(dir);
  }

  [Symbol.dispose](): void {
    fs.rmSync(this.layout.root, { recursive: true });
  }

  submit(range: string, word = "one"): void {
    const file = this.layout.queued("A.ini");
    const text = `[control]\nexecutable = echo ${word} {index}\n[array]\nrange = ${range}\n`;
    fs.writeFileSync(`${file}.tmp`, text);
    const then = Date.now() / 1000 - 1;
    fs.utimesSync(`${file}.tmp`, then, then);
    fs.renameSync(`${file}.tmp`, file);
  }

  /** Acts as a worker that ends every job in the queue at once. @param method the call that was just made */
  takeJobs(method = "rename"): void {
    if (method !== "rename") return;
    for (const file of fs.readdirSync(this.layout.jobqueue)) {
      const number = /^A_(\d+)\.ini$/.exec(file)?.[1];
      if (number === undefined) continue;
      const text = fs.readFileSync(this.layout.queued(file), "utf8");
      const [, word = text, index] = /^executable = echo (\w+) (\d+)$/m.exec(text) ?? [];
      expect(index, text).to.equal(number);
      this.made.push(`${word} ${number}`);
      fs.unlinkSync(this.layout.queued(file));
    }
  }

  /** Takes the array out of the queue. */
  begin(store: Store = this.store): Promise<unknown> {
    return beginArray({ ...this.site, store }, "A.ini");
  }

  /** Runs a dispatcher until nothing waits. @param block how many numbers become jobs at once */
  async dispatch(block: number, store: Store = this.store): Promise<void> {
    const arrays = new Arrays(
      { ...this.site, store },
      {
        troubleWithArray: (message) => this.troubles.push(message),
        cancelled: () => undefined,
      },
    );
    for (let idle = 0; idle < 2; ) {
      const before = arrays.waiting;
      if (await store.has(this.layout.queued("A.ini"))) await arrays.begin("A.ini");
      await arrays.readAll();
      const hasMade = await arrays.feed(block, { readyFrom: () => 0 });
      idle = hasMade || arrays.waiting !== before ? 0 : idle + 1;
    }
  }

  change(
    from: readonly PartKind[],
    to: PartKind,
    has: (number: number) => boolean,
    store: Store = this.store,
  ): Promise<number[]> {
    const wanted = rangesOf(numbersFrom(0, 200, 1).filter(has));
    return changeParts({ ...this.site, store }, "A", new Set(from), to, wanted).then((ranges) =>
      ranges.flatMap(({ from, to, step }) => numbersFrom(from, to, step)),
    );
  }

  /**
   * The state of each number that has not arrived in the queue, such as `held.5`. It is read from the directory without
   * fjord's code.
   */
  left(): string[] {
    const dir = path.join(this.layout.jobarrays, "A");
    const found: string[] = [];
    for (const entry of fs.existsSync(dir) ? fs.readdirSync(dir) : []) {
      const [, kind = "waiting.", first, last = first, step = 1] =
        /^(held\.|cancelled\.)?(\d+)(?:-(\d+)(?::(\d+))?)?$/.exec(entry) ?? [];
      for (const number of numbersFrom(Number(first), Number(last), Number(step))) {
        found.push(`${kind}${number}`);
      }
    }
    return found.sort();
  }

  /** Entries that should have been removed. */
  litter(): string[] {
    return fs.readdirSync(this.layout.jobarrays).flatMap((name) => {
      if (name.startsWith(".")) return [name];
      const entries = fs.readdirSync(path.join(this.layout.jobarrays, name));
      return entries
        .filter((entry) => entry !== "array.ini" && !/^(?:held\.|cancelled\.)?[\d:-]+$/.test(entry))
        .map((entry) => path.join(name, entry));
    });
  }

  /** All paths below `jobarrays/`, for error messages. */
  tree(): string {
    return fs.readdirSync(this.layout.jobarrays, { recursive: true }).sort().join("\n");
  }

  /** Runs a last dispatcher, which finishes the work of those that were killed. Expects each number at most once. */
  async settle(block: number): Promise<void> {
    await this.dispatch(block, watched(this.store, { after: (method) => this.takeJobs(method) }));
    const twice = this.made.filter((one, i) => this.made.indexOf(one) !== i);
    expect(twice, `twice\n${this.tree()}`).to.deep.equal([]);
    expect(this.left().filter((one) => one.startsWith("waiting"))).to.deep.equal([]);
    expect(this.litter()).to.deep.equal([]);
    expect(fs.readdirSync(this.layout.jobqueue)).to.deep.equal([]);
    expect(this.troubles).to.deep.equal([]);
  }

  /** Settles, and expects that each number became one job or is held or cancelled, and that the array is still known. */
  async settleAll(block: number, numbers: readonly number[]): Promise<void> {
    await this.settle(block);
    expect(fs.existsSync(this.layout.arrayFile("A"))).to.equal(true);
    const all = [...this.made, ...this.left()].map((one) => Number(/\d+/.exec(one)));
    expect(
      all.sort((a, b) => a - b),
      this.tree(),
    ).to.deep.equal(numbers);
  }
}

export function numbersFrom(from: number, to: number, step = 1): number[] {
  const numbers: number[] = [];
  for (let n = from; n <= to; n += step) numbers.push(n);
  return numbers;
}

interface Watch {
  /** Awaited before each call. The caller gets its errors. */
  readonly before?: (method: string, args: readonly unknown[]) => unknown;
  /** Called after each call that has succeeded. */
  readonly after?: (method: string) => void;
}

/** A store whose calls are watched. */
function watched(store: Store, { before, after }: Watch): Store {
  return new Proxy(store, {
    get: (target, name: keyof Store) => {
      const method: unknown = target[name];
      if (typeof method !== "function") return method;
      return async (...args: unknown[]) => {
        const wait = before?.(name, args);
        if (wait !== undefined) await wait;
        const result: unknown = await method.apply(target, args);
        after?.(name);
        return result;
      };
    },
  });
}

/** A store that renames the array during some calls, as another process does to see whether the array has ended. */
export function absent(project: ArrayProject, methods: readonly string[], times: number): Store {
  const [place, away] = [project.layout.array("A"), project.layout.oldArray("A", "away")];
  let left = times;
  const isMeant = (method: string) => methods.includes(method) && left > 0;
  const back = () => fs.existsSync(away) && fs.renameSync(away, place);
  return new Proxy(project.store, {
    get: (target, name: keyof Store) => {
      const method: unknown = target[name];
      if (typeof method !== "function") return method;
      return async (...args: unknown[]) => {
        if (isMeant(name)) fs.renameSync(place, away);
        try {
          return (await method.apply(target, args)) as unknown;
        } finally {
          if (isMeant(name)) left--;
          back();
        }
      };
    },
  });
}

/** A store whose disk is full after `room` more files and directories. */
export function filling(store: Store, room: number): Store {
  let made = 0;
  return watched(store, {
    before: (method) => {
      if ((method !== "create" && method !== "mkdir") || ++made <= room) return;
      throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    },
  });
}

class Death extends Error {}

/** Moment of the kill: `before` the call, after half of a file (`torn`), or `after` the call. */
export const DEATHS = ["before", "torn", "after"] as const;

/** Runs `run` and stops it at its n-th call that changes something. @returns whether the run reached that call */
export async function dieAt(
  store: Store,
  n: number,
  how: (typeof DEATHS)[number],
  run: (store: Store) => Promise<unknown>,
  after: (method: string) => void,
): Promise<boolean> {
  let count = 0;
  let isDead = false;
  const die = () => {
    isDead = true;
    throw new Death();
  };
  const mortal = watched(store, {
    before: (method, args) => {
      if (isDead) throw new Death();
      if (!CHANGES.has(method) || ++count < n) return undefined;
      if (how === "before") die();
      if (how === "torn" && method === "create") {
        const [file, content, flush] = args as Parameters<Store["create"]>;
        return store.create(file, String(content).slice(0, 9), flush).then(die);
      }
      return undefined;
    },
    after: (method) => {
      after(method);
      if (CHANGES.has(method) && count >= n) die();
    },
  });
  try {
    await run(mortal);
  } catch (error) {
    if (!(error instanceof Death)) throw error;
  }
  return isDead;
}

/** A process whose calls of the store the test releases one at a time. */
export class Actor {
  readonly name: string;
  isDone = false;
  /** Number of steps that the test has released. */
  steps = 0;
  readonly #store: Store;
  readonly #run: (store: Store) => Promise<unknown>;
  #go: (() => void) | undefined;
  #stopped: () => void = () => undefined;
  #error: unknown;

  constructor(
    name: string,
    store: Store,
    run: (store: Store) => Promise<unknown>,
    after: (method: string) => void,
  ) {
    this.name = name;
    this.#run = run;
    this.#store = watched(store, {
      after,
      before: () =>
        new Promise<void>((resolve) => {
          this.#go = resolve;
          this.#stopped();
        }),
    });
  }

  /** Runs the process to its next call. */
  async step(): Promise<void> {
    if (this.isDone) return;
    this.steps++;
    const stopped = new Promise<void>((resolve) => {
      this.#stopped = resolve;
    });
    if (this.#go === undefined) void this.#begin();
    else this.#go();
    await stopped;
    if (this.#error !== undefined) throw this.#error;
  }

  async #begin(): Promise<void> {
    try {
      await this.#run(this.#store);
    } catch (error) {
      this.#error = error;
    }
    this.isDone = true;
    this.#stopped();
  }
}
