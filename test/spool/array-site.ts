import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect } from "chai";
import { Arrays } from "../../src/dispatcher/arrays.js";
import { rangesOf } from "../../src/job/numbers.js";
import { Layout } from "../../src/project/layout.js";
import { defaultSettings } from "../../src/project/settings.js";
import type { PartKind } from "../../src/spool/array-parts.js";
import { beginArray, changeParts } from "../../src/spool/arrays.js";
import { openStore } from "../../src/spool/open-store.js";
import type { Store } from "../../src/spool/store.js";

/** Where a file system in memory is mounted; there are some hundred thousand calls. */
const MEMORY = fs.existsSync("/dev/shm") ? "/dev/shm" : os.tmpdir();
/** What of a store changes something. */
const CHANGES: ReadonlySet<string> = new Set([
  "create",
  "rename",
  "unlink",
  "mkdir",
  "rmdir",
  "touch",
  "link",
]);

/** A project with an array `A`, whose jobs are taken out of the queue as soon as they lie there. */
export class Site {
  readonly layout = new Layout(fs.mkdtempSync(path.join(MEMORY, "fjord-arrays-")));
  readonly store = openStore(this.layout.root, "local");
  /** Numbers that came to the queue, with the word in the command of the array's file they are of: `one 7`. */
  readonly made: string[] = [];
  readonly troubles: string[] = [];

  constructor() {
    for (const dir of [this.layout.jobqueue, this.layout.jobarrays]) fs.mkdirSync(dir);
  }

  [Symbol.dispose](): void {
    fs.rmSync(this.layout.root, { recursive: true });
  }

  /** Puts an array's file into the queue. */
  submit(range: string, word = "one"): void {
    const file = this.layout.queued("A.ini");
    const text = `[control]\nexecutable = echo ${word} {index}\n[array]\nrange = ${range}\n`;
    fs.writeFileSync(`${file}.tmp`, text);
    const then = Date.now() / 1000 - 1;
    fs.utimesSync(`${file}.tmp`, then, then);
    fs.renameSync(`${file}.tmp`, file);
  }

  /** What a worker would do: whatever lies in the queue is run and over. @param method the call that was made */
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

  /** Somebody takes the array out of the queue. */
  begin(store: Store = this.store): Promise<unknown> {
    return beginArray(store, this.layout, "A.ini");
  }

  /** A dispatcher that goes on until nothing waits. @param block numbers that it makes jobs at once */
  async dispatch(block: number, store: Store = this.store): Promise<void> {
    const arrays = new Arrays(store, this.layout, defaultSettings("local"), {
      onTrouble: (message) => this.troubles.push(message),
      onCancelled: () => undefined,
    });
    for (let idle = 0; idle < 2; ) {
      const before = arrays.waiting;
      if (await store.has(this.layout.queued("A.ini"))) await arrays.begin("A.ini");
      await arrays.look();
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
    return changeParts(store, this.layout, "A", new Set(from), to, wanted).then((ranges) =>
      ranges.flatMap(({ from, to, step }) => numbersFrom(from, to, step)),
    );
  }

  /** Where each number is that has not come to the queue, read without fjord's code: `held.5`. */
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

  /** What lies about that nobody needs any more. */
  litter(): string[] {
    return fs.readdirSync(this.layout.jobarrays).flatMap((name) => {
      if (name.startsWith(".")) return [name];
      const entries = fs.readdirSync(path.join(this.layout.jobarrays, name));
      return entries
        .filter((entry) => entry !== "array.ini" && !/^(?:held\.|cancelled\.)?[\d:-]+$/.test(entry))
        .map((entry) => path.join(name, entry));
    });
  }

  /** Everything below `jobarrays/`, for people. */
  tree(): string {
    return fs.readdirSync(this.layout.jobarrays, { recursive: true }).sort().join("\n");
  }

  /** Somebody who comes when all the others are gone does what is left. */
  async settle(block: number): Promise<void> {
    await this.dispatch(block, watched(this.store, { after: (method) => this.takeJobs(method) }));
    const twice = this.made.filter((one, i) => this.made.indexOf(one) !== i);
    expect(twice, `twice\n${this.tree()}`).to.deep.equal([]);
    expect(this.left().filter((one) => one.startsWith("waiting"))).to.deep.equal([]);
    expect(this.litter()).to.deep.equal([]);
    expect(fs.readdirSync(this.layout.jobqueue)).to.deep.equal([]);
    expect(this.troubles).to.deep.equal([]);
  }

  /** The same, and then each number was a job once, or is none, and the array is still known. */
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
  /** Awaited before each call; what it throws, the caller gets. */
  readonly before?: (method: string, args: readonly unknown[]) => unknown;
  /** After each call that has succeeded. */
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

/** A store for whose calls of some kinds the array is away, as while somebody looks whether it is over. */
export function absent(site: Site, methods: readonly string[], times: number): Store {
  const [place, away] = [site.layout.array("A"), site.layout.oldArray("A", "away")];
  let left = times;
  const isMeant = (method: string) => methods.includes(method) && left > 0;
  const back = () => fs.existsSync(away) && fs.renameSync(away, place);
  return new Proxy(site.store, {
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

/** A store that has no room after so many more files and directories. */
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

/**
 * How far it gets: `before`, the call is not made; `torn`, of a file half is written; `after`, all is done but what follows.
 */
export const DEATHS = ["before", "torn", "after"] as const;

/**
 * Runs it and lets it die at its n-th call that changes something. @returns whether it lived to make so many calls
 */
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

/** Somebody at work, who makes one call when he is told to. */
export class Actor {
  readonly name: string;
  isDone = false;
  /** How many calls it has made. */
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

  /** Goes on to the next call. */
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
