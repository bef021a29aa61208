import fs from "node:fs";
import { expect } from "chai";
import type { RunningCommand } from "../rig/command.js";
import type { Dice } from "../rig/dice.js";
import { type Failpoint, traced } from "./strace.js";

/** A call that gets an error, and how many calls of its kind after it get the error, too. */
export interface Fault extends Failpoint {
  readonly error: string;
  readonly count: number;
}

/** A call that got an error, as strace shows it. */
export interface Hit {
  readonly call: string;
  readonly error: string;
  readonly line: string;
}

const ANY = ["EIO", "ESTALE", "EACCES"];
/**
 * Errors that the kernel may give, by call. Source: section 2 of the manual; NFS adds ESTALE. Node makes the calls read, write
 * and close for itself as well, so the n-th one is different in each run. `faulty-writes.ts` covers those.
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

/** The calls that can get an error. */
export const CALLS = Object.keys(ERRORS);
/** Number of calls of a kind that fail when an error lasts for a while. */
const A_WHILE = 12;

/** Each possible error at each call, once, and one of the errors for a while. */
export function faultsAt(points: readonly Failpoint[], dice: Dice): Fault[] {
  return points.flatMap((point) => {
    const errors = [...(ERRORS[point.call] ?? [])];
    if (point.call === "openat" && point.line.includes("O_CREAT")) errors.push("ENOSPC");
    const once = errors.map((error) => ({ ...point, error, count: 1 }));
    return [...once, { ...point, error: dice.pick(errors), count: A_WHILE }];
  });
}

/** Removes up to `most` faults from the list, each at another kind of call, and returns them. */
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

/** Runs a program under strace, which injects the errors. @param log the file for the trace */
export function failAt(faults: readonly Fault[], log: string): { prefix: string[] } {
  const calls = faults.map(({ call }) => call).join(",");
  const injections = faults.flatMap(({ call, error, n, count }) => [
    "-e",
    `inject=${call}:error=${error}:when=${n}..${n + count - 1}`,
  ]);
  return traced("-o", log, "-e", `trace=${calls}`, ...injections);
}

/** The errors that strace injected. An error outside the project is undefined. */
export function hitsIn(log: string, root: string): (Hit | undefined)[] {
  const text = fs.existsSync(log) ? fs.readFileSync(log, "utf8") : "";
  return text.split("\n").flatMap((line) => {
    const found = /^(\w+)\(.* = -1 (E[A-Z]+) .*\(INJECTED\)$/.exec(line);
    if (found === null) return [];
    const [, call = "", error = ""] = found;
    return [line.includes(root) ? { call, error, line } : undefined];
  });
}

/** Consequences of errors. `went on`: silently. `waited`: with a line in the log. `ended`: with a message. */
export type Consequence = "went on" | "waited" | "ended";

/** Counts the consequences of errors. */
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

/** Messages of a process that ends because the store refuses something. */
const TELLS = /Repair it and try again|cannot be a project|did not come on duty/;

/** A process that got errors may wait, or end with an exit code and a message, but it must not crash. */
export function expectExplained(
  { exitCode, output }: RunningCommand,
  hits: readonly (Hit | undefined)[],
): void {
  if (hits.includes(undefined)) return; // an error at a file of Node's own
  expect(exitCode, `exit code ${exitCode}: ${output}`).to.be.oneOf([0, 2, 130]);
  if (exitCode === 2) expect(output).to.match(TELLS);
}
