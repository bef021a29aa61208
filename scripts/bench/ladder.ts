import fs from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Setup } from "./bench.js";
import { BenchProject } from "./bench-project.js";
import { canCountCalls, countCalls } from "./calls.js";
import { LedgerTail } from "./ledger-tail.js";
import { atLeast, atMost, median, type Row, row } from "./measure.js";
import { peakMemoryOf, readCallsOf } from "./proc.js";

/** Jobs that wait when a step has been measured: so many are left, at the least. */
const SIZES = [1000, 100_000, 1_000_000] as const;
const SMALL = SIZES[0];
const LARGEST = SIZES[2];
/** The largest is made of files in the first round only: it takes minutes. */
const ROUNDS_OF_LARGEST = 1;
/** Jobs that go before, for all to get going; and those of which the speed is taken while files are read. */
const WARM = 500;
const AMID = 3000;
/** Jobs of which the speed is taken, and the calls are counted. Of a million files so many that a listing of them, and the pause after it, lies among them. */
const SLICE = { timed: 3000, counted: 500 };
const LONG_SLICE = { timed: 40_000, counted: 4000 };
/** An array has no more; of the largest, so, a few less are left. */
const MOST_ELEMENTS = 1_000_000;
/** What the largest one needs, bytes and inodes: each file takes a block. */
const ROOM = 12e9;
const INODES = 1.5e6;
/** Flat within 20 %, against the smallest. */
const SLOWEST = 0.8;
const DEAREST = 1.2;
const FIRST_LIMIT = 1;
const MEMORY_LIMIT = 200;
const MB = 1e6;

/** How jobs come to wait. */
type Kind = "files" | "elements";

interface Step {
  /** From the dispatcher's start until the first job starts, s. */
  readonly first: number;
  /** Jobs a second while the dispatcher is still reading the files. NaN where there is nothing to read. */
  readonly amidIntake: number;
  /** Jobs a second when it has read them. */
  readonly rate: number;
  /** System calls of dispatcher and workers per job, when it has read them. NaN without strace. */
  readonly calls: number;
  /** Of the dispatcher, at the peak, MB. */
  readonly memory: number;
}

/** What it costs that many jobs wait: a slice of the work is measured, with 1,000 waiting and with many more. */
export async function ladder(setup: Setup): Promise<Row[]> {
  const rows: Row[] = [];
  for (const kind of ["elements", "files"] as const) {
    const rounds: Map<number, Step>[] = [];
    for (let n = 1; n <= setup.rounds; n++) {
      const round = new Map<number, Step>();
      for (const size of SIZES) {
        if (size === LARGEST && kind === "files" && n > ROUNDS_OF_LARGEST) continue;
        if (size === LARGEST && kind === "files" && !hasRoom(setup.scratch.root)) continue;
        setup.tell(`ladder, ${size} ${kind}, round ${n} of ${setup.rounds}`);
        round.set(size, await climb(setup, kind, size));
      }
      rounds.push(round);
    }
    for (const size of SIZES) rows.push(...report(kind, size, rounds));
  }
  return rows;
}

function hasRoom(dir: string): boolean {
  const { bavail, bsize, ffree, files } = fs.statfsSync(dir);
  // Some file systems make inodes as they go, and tell of none.
  return bavail * bsize > ROOM && (files === 0 || ffree > INODES);
}

async function climb({ scratch, cores }: Setup, kind: Kind, size: number): Promise<Step> {
  const project = new BenchProject(scratch, "ladder");
  const slice = size === LARGEST && kind === "files" ? LONG_SLICE : SLICE;
  const wanted = size + WARM + AMID + slice.timed + slice.counted;
  const jobs = kind === "files" ? wanted : Math.min(wanted, MOST_ELEMENTS);
  if (kind === "files") project.drop(jobs, "/bin/true");
  else await project.run("fjord", "submit", "--name", "a", "--array", `1-${jobs}`, "--", "/bin/true");
  const workers = await project.hire(cores);
  const tail = new LedgerTail(project.layout);
  const begin = Date.now();
  const dispatcher = project.stay();
  await tail.untilStarted();
  const first = (Math.min(...tail.starts) - begin) / 1000;
  await tail.untilEnded(WARM);
  const rateOf = async (count: number) => {
    tail.look(); // what ended before now does not count
    const from = tail.ends.length;
    await tail.untilEnded(from + count);
    const ends = tail.ends.slice(from, from + count);
    return ((count - 1) / (Math.max(...ends) - Math.min(...ends))) * 1000;
  };
  const amidIntake = kind === "files" ? await rateOf(AMID) : Number.NaN;
  if (kind === "files") while (readCallsOf(dispatcher.pid) < jobs) await delay(100);
  const rate = await rateOf(slice.timed);
  const memory = peakMemoryOf(dispatcher.pid) / MB;
  const calls = (await canCountCalls())
    ? await callsPerJob(
        slice.counted,
        [dispatcher.pid, ...workers.map(({ worker }) => worker)],
        project,
        scratch.env,
        tail,
      )
    : Number.NaN;
  await dispatcher.stop();
  await project.fire();
  return { first, amidIntake, rate, calls, memory };
}

async function callsPerJob(
  count: number,
  pids: readonly number[],
  { layout }: BenchProject,
  env: NodeJS.ProcessEnv,
  tail: LedgerTail,
): Promise<number> {
  let from = 0;
  let to = 0;
  const begun = () => {
    tail.look();
    from = tail.ends.length;
  };
  const over = async () => {
    await tail.untilEnded(from + count);
    to = tail.ends.length;
  };
  return (await countCalls(pids, layout.root, env, begun, over)) / (to - from);
}

function report(kind: Kind, size: number, rounds: readonly ReadonlyMap<number, Step>[]): Row[] {
  const what = kind === "files" ? `${size} files` : `array of ${size}`;
  const steps = rounds.flatMap((round) => round.get(size) ?? []);
  if (steps.length === 0) {
    return [{ measure: `${what}: left out`, value: "no room on the disk", number: undefined }];
  }
  const of = (value: (step: Step) => number) => median(steps.map(value));
  /** Against the smallest of the same round. */
  const ratio = (value: (step: Step) => number) =>
    median(
      rounds.flatMap((round) => {
        const [step, small] = [round.get(size), round.get(SMALL)];
        return step === undefined || small === undefined ? [] : [value(step) / value(small)];
      }),
    );
  const first = of((step) => step.first);
  const memory = of((step) => step.memory);
  const rows = [
    row(
      `${what}: until the first job starts`,
      first,
      "s",
      2,
      size === LARGEST && kind === "files" ? undefined : atMost(first, FIRST_LIMIT, "s"),
    ),
    row(
      `${what}: ${kind === "files" ? "all read, " : ""}jobs a second`,
      of((step) => step.rate),
      "jobs/s",
      0,
    ),
  ];
  if (kind === "files") {
    rows.push(
      row(
        `${what}: jobs a second while they are read`,
        of((step) => step.amidIntake),
        "jobs/s",
        0,
      ),
    );
  }
  rows.push(
    row(
      `${what}: system calls a job`,
      of((step) => step.calls),
      "",
      1,
    ),
  );
  rows.push(row(`${what}: dispatcher, peak`, memory, "MB", 0, atMost(memory, MEMORY_LIMIT, "MB")));
  if (size === SMALL) return rows;
  const rate = ratio((step) => step.rate);
  const dearer = ratio((step) => step.calls);
  const small = `with ${SMALL}, within a round`;
  rows.push(row(`${what}: jobs a second : ${small}`, rate, "", 2, atLeast(rate, SLOWEST, `≥ ${SLOWEST}`)));
  if (!Number.isNaN(dearer)) {
    rows.push(row(`${what}: calls a job : ${small}`, dearer, "", 2, atMost(dearer, DEAREST, "")));
  }
  if (kind === "files") {
    const amid = ratio((step) => step.amidIntake);
    rows.push(row(`${what}: jobs a second while they are read : ${small}`, amid, "", 2));
  }
  return rows;
}
