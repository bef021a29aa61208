import fs from "node:fs";
import { expect } from "chai";
import type { Daemon, Dice } from "./harness.js";
import { type Failpoint, traced } from "./strace.js";

/** A call that is answered with an error, and so many of its kind after it. */
export interface Fault extends Failpoint {
  readonly error: string;
  readonly count: number;
}

/** Where an error was given, as strace shows it. */
export interface Hit {
  readonly call: string;
  readonly error: string;
  readonly line: string;
}

const ANY = ["EIO", "ESTALE", "EACCES"];
/**
 * What the kernel may answer: section 2 of the manual, and ESTALE where the file may lie on NFS. Not of calls that Node makes
 * now and then for itself, so that the n-th is another each time: read, write, close (`faulty-writes.ts`).
 */
const ERRORS: Readonly<Record<string, readonly string[]>> = {
  rename: [...ANY, "ENOSPC"],
  link: [...ANY, "ENOSPC"],
  mkdir: [...ANY, "ENOSPC"],
  unlink: ANY,
  rmdir: ANY,
  utimensat: ANY,
  statx: ANY,
  newfstatat: ANY,
  openat: [...ANY, "EMFILE"],
  getdents64: ["EIO", "ESTALE"],
  pread64: ["EIO", "ESTALE"],
  pwrite64: ["EIO", "ESTALE", "ENOSPC"],
  ftruncate: ["EIO", "ESTALE"],
  fsync: ["EIO", "ENOSPC"],
};

/** The calls that can be answered so. */
export const CALLS = Object.keys(ERRORS);
/** Calls of a kind that fail one after the other when an error lasts a while. */
const A_WHILE = 12;

/** At each call each error that it can have, once; and one of them for a while. */
export function faultsAt(points: readonly Failpoint[], dice: Dice): Fault[] {
  return points.flatMap((point) => {
    const errors = [...(ERRORS[point.call] ?? [])];
    if (point.call === "openat" && point.line.includes("O_CREAT")) errors.push("ENOSPC");
    const once = errors.map((error) => ({ ...point, error, count: 1 }));
    return [...once, { ...point, error: dice.pick(errors), count: A_WHILE }];
  });
}

/** Takes as many faults, each of another kind of call, as strace can give to one process. Those taken are removed. */
export function takeSome(faults: Fault[], most: number): Fault[] {
  const left = new Map<string, number>();
  for (const { call } of faults) left.set(call, (left.get(call) ?? 0) + 1);
  const kinds = [...left].sort(([, a], [, b]) => b - a).slice(0, most);
  return kinds.map(([kind]) => {
    const [fault] = faults.splice(
      faults.findIndex(({ call }) => call === kind),
      1,
    );
    return fault as Fault;
  });
}

/** Runs under strace, which answers so. @param log where it tells of it */
export function failAt(faults: readonly Fault[], log: string): { prefix: string[] } {
  const calls = faults.map(({ call }) => call).join(",");
  const injections = faults.flatMap(({ call, error, n, count }) => [
    "-e",
    `inject=${call}:error=${error}:when=${n}..${n + count - 1}`,
  ]);
  return traced("-o", log, "-e", `trace=${calls}`, ...injections);
}

/** The errors that were given; undefined of those that were given elsewhere than in the project. */
export function hitsIn(log: string, root: string): (Hit | undefined)[] {
  const text = fs.existsSync(log) ? fs.readFileSync(log, "utf8") : "";
  return text.split("\n").flatMap((line) => {
    const found = /^(\w+)\(.* = -1 (E[A-Z]+) .*\(INJECTED\)$/.exec(line);
    if (found === null) return [];
    const [, call = "", error = ""] = found;
    return [line.includes(root) ? { call, error, line } : undefined];
  });
}

/** What the errors led to: `went on` without a word, `waited` and said so in its log, `ended` with a message. */
export type Consequence = "went on" | "waited" | "ended";

/** Counts what errors led to. */
export class Consequences {
  readonly #counts = new Map<string, Map<Consequence, number>>();
  errors = 0;

  note(hits: readonly Hit[], consequence: Consequence): void {
    for (const error of new Set(hits.map((hit) => hit.error))) {
      const counts = this.#counts.get(error) ?? new Map<Consequence, number>();
      counts.set(consequence, (counts.get(consequence) ?? 0) + 1);
      this.#counts.set(error, counts);
    }
    this.errors += hits.length;
  }

  toString(): string {
    const told = [...this.#counts].sort().map(([error, counts]) => {
      const each = [...counts].map(([consequence, count]) => `${count} ${consequence}`);
      return `${error}: ${each.sort().join(", ")}`;
    });
    return told.join("; ");
  }
}

/** What a process says of its own accord when it ends for the store's trouble. */
const TELLS = /refused; mend that and try again|cannot be a project|did not come on duty/;

/** A process that had errors may wait, and may end with an exit code and a sentence, but not break down. */
export function expectExplained({ exitCode, output }: Daemon, hits: readonly (Hit | undefined)[]): void {
  if (hits.includes(undefined)) return; // an error amid Node's own modules
  expect(exitCode, `exit code ${exitCode}: ${output}`).to.be.oneOf([0, 2, 130]);
  if (exitCode === 2) expect(output).to.match(TELLS);
}
