import fs from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { BenchProject } from "./bench-project.js";
import { canCountCalls, countCalls } from "./calls.js";
import { LedgerTail } from "./ledger-tail.js";
import { atLeast, atMost, median, type Row, row } from "./measure.js";
import { peakMemoryOf, readCallsOf } from "./proc.js";
import type { Setup } from "./setup.js";

/** Least number of jobs that still wait at the end of a measurement. */
const SIZES = [1000, 100_000, 1_000_000] as const;
const SMALL = SIZES[0];
const LARGEST = SIZES[2];
/** Rounds with the largest number of files. Each takes minutes. */
const ROUNDS_OF_LARGEST = 1;
/** Jobs that run before the measurement begins. */
const WARM_UP = 500;
/** Jobs that are timed while the dispatcher reads files. */
const DURING_READING = 3000;
/** Jobs that are timed, and jobs whose system calls are counted. */
const SLICE = { timed: 3000, counted: 500 };
/** The same for a million files. The slice contains a listing of all files, and the pause after it. */
const LONG_SLICE = { timed: 40_000, counted: 4000 };
/** Largest size of an array. Of such an array, less than a million jobs are left at the end. */
const MOST_ELEMENTS = 1_000_000;
/** Bytes that the largest number of files needs. Each file takes a block. */
const NEEDED_BYTES = 12e9;
/** Inodes that the largest number of files needs. */
const NEEDED_INODES = 1.5e6;
/** Least speed, as a share of the speed with the fewest jobs. */
const SLOWEST = 0.8;
/** Largest number of system calls, as a multiple of the number with the fewest jobs. */
const DEAREST = 1.2;
/** Longest time until the first job starts, in s. */
const FIRST_LIMIT = 1;
/** Largest memory of the dispatcher, in MB. */
const MEMORY_LIMIT = 200;
const MB = 1e6;

/** Form of the waiting jobs: a file for each job, or the elements of one array. */
type Kind = "files" | "elements";

interface Step {
  /** Time from the dispatcher's start until the first job starts, in s. */
  readonly first: number;
  /** Jobs a second while the dispatcher still reads the files. NaN for arrays. */
  readonly rateDuringReading: number;
  /** Jobs a second after the dispatcher has read all files. */
  readonly rate: number;
  /** System calls of dispatcher and workers for each job, after the reading. NaN without strace. */
  readonly calls: number;
  /** Peak memory of the dispatcher, in MB. */
  readonly memory: number;
}

/** Measures the cost of long queues. The same slice of work is measured with 1,000 and with many more waiting jobs. */
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
  // Some file systems make inodes on demand, and report none.
  return bavail * bsize > NEEDED_BYTES && (files === 0 || ffree > NEEDED_INODES);
}

async function climb({ scratch, cores }: Setup, kind: Kind, size: number): Promise<Step> {
  const project = new BenchProject(scratch, "ladder");
  const slice = size === LARGEST && kind === "files" ? LONG_SLICE : SLICE;
  const wanted = size + WARM_UP + DURING_READING + slice.timed + slice.counted;
  const jobs = kind === "files" ? wanted : Math.min(wanted, MOST_ELEMENTS);
  if (kind === "files") project.drop(jobs, "/bin/true");
  else await project.run("fjord", "submit", "--name", "a", "--array", `1-${jobs}`, "--", "/bin/true");
  const workers = await project.hire(cores);
  const tail = new LedgerTail(project.layout);
  const begin = Date.now();
  const dispatcher = project.stay();
  await tail.untilStarted();
  const first = (Math.min(...tail.starts) - begin) / 1000;
  await tail.untilEnded(WARM_UP);
  const rateOf = async (count: number) => {
    tail.read(); // skips the jobs that have ended already
    const from = tail.ends.length;
    await tail.untilEnded(from + count);
    const ends = tail.ends.slice(from, from + count);
    return ((count - 1) / (Math.max(...ends) - Math.min(...ends))) * 1000;
  };
  const rateDuringReading = kind === "files" ? await rateOf(DURING_READING) : Number.NaN;
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
  return { first, rateDuringReading, rate, calls, memory };
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
    tail.read();
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
    return [{ measure: `${what}: left out`, value: "the disk is too small", number: undefined }];
  }
  const of = (value: (step: Step) => number) => median(steps.map(value));
  /** Ratio to the smallest size in the same round. */
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
      `${what}: jobs a second${kind === "files" ? ", after the reading" : ""}`,
      of((step) => step.rate),
      "jobs/s",
      0,
    ),
  ];
  if (kind === "files") {
    rows.push(
      row(
        `${what}: jobs a second, during the reading`,
        of((step) => step.rateDuringReading),
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
    const duringReading = ratio((step) => step.rateDuringReading);
    rows.push(row(`${what}: jobs a second, during the reading : ${small}`, duringReading, "", 2));
  }
  return rows;
}
