import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { type Dice, SEED } from "../rig/dice.js";

/** Whether to try every failpoint, and not only a sample. */
export const IS_ALL = process.env.FJORD_FAILPOINTS === "all";

/** The n-th call of a kind that one process makes. */
export interface Failpoint {
  readonly call: string;
  readonly n: number;
  /** The line of the trace, for error messages. */
  readonly line: string;
}

type Prefix = { readonly prefix: string[] };

/** Runs a program under strace. With `-D` the program itself, and not strace, is the child of the test. */
export function traced(...args: string[]): Prefix {
  return { prefix: ["strace", "-D", "-qq", "-y", "-s", "40", ...args] };
}

/** Writes every call of these kinds to a file. */
export function trace(to: string, calls: readonly string[]): Prefix {
  return traced("-o", to, "-e", `trace=${calls.join(",")}`);
}

/** All calls of a trace that name the project. Like strace, it counts each kind of call separately. */
export function failpointsOf(file: string, root: string): Failpoint[] {
  const counts = new Map<string, number>();
  const found: Failpoint[] = [];
  for (const line of fs.readFileSync(file, "utf8").split("\n")) {
    const call = /^(\w+)\(/.exec(line)?.[1];
    if (call === undefined) continue;
    const n = (counts.get(call) ?? 0) + 1;
    counts.set(call, n);
    if (line.includes(root)) found.push({ call, n, line });
  }
  return found;
}

/** Chooses some calls of each kind, or all calls if there are no more than `count`. */
export function sample<F extends Failpoint>(all: readonly F[], dice: Dice, count: number): F[] {
  if (all.length <= count) return [...all];
  const kinds = [...new Set(all.map(({ call }) => call))].map((call) =>
    all.filter((one) => one.call === call),
  );
  const taken = new Set<F>();
  for (let turn = 0; taken.size < count; turn++) taken.add(dice.pick(kinds[turn % kinds.length] as F[]));
  return [...taken];
}

/** Prints the seed and the size of the sample, and skips the suite where strace does not work. */
export function needsStrace(suite: Mocha.Context, taken: string): void {
  const reason = whyNoTrace();
  console.log(`    seed ${SEED}, ${taken} (FJORD_TEST_SEED, FJORD_FAILPOINTS=all)`);
  if (reason === undefined) return;
  console.log(`    skipped: ${reason}`);
  suite.skip();
}

function whyNoTrace(): string | undefined {
  const tried = spawnSync("strace", [
    "-qq",
    "-o",
    "/dev/null",
    "-e",
    "inject=rename:error=EIO:when=99",
    "true",
  ]);
  if (tried.error !== undefined) return "strace is not installed";
  return tried.status === 0 ? undefined : "strace may not trace here";
}
