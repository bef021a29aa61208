import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { expect } from "chai";
import { Bench, type Daemon, Dice, QUICK, SEED, until } from "./harness.js";
import { Scene } from "./scene.js";

/** What changes the project's directory, and what is read of it. */
const CALLS = ["rename", "link", "unlink", "mkdir", "rmdir", "openat", "write", "utimensat"];
/** Failpoints for each role; FJORD_FAILPOINTS=all takes every one. */
const SAMPLE = process.env.FJORD_FAILPOINTS === "all" ? Number.POSITIVE_INFINITY : 22;
/** So many deaths, and then one lives on to the end. */
const ROUND = 6;

/** The n-th call of a kind that one process makes. */
interface Failpoint {
  readonly call: string;
  readonly n: number;
  /** The line of the trace where it stood, for people. */
  readonly line: string;
}

/** Runs under strace, the program itself being the child: `-D` puts the tracer aside. */
function traced(...args: string[]): { prefix: string[] } {
  return { prefix: ["strace", "-D", "-qq", "-y", "-s", "40", ...args] };
}

function trace(to: string): { prefix: string[] } {
  return traced("-o", to, "-e", `trace=${CALLS.join(",")}`);
}

function killAt({ call, n }: Failpoint): { prefix: string[] } {
  return traced("-o", "/dev/null", "-e", `trace=${call}`, "-e", `inject=${call}:signal=KILL:when=${n}`);
}

/** Every call of a trace that touches the project, numbered as strace counts: by kind. */
function failpointsOf(file: string, root: string): Failpoint[] {
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

/** Some of each kind. */
function sample(all: readonly Failpoint[], dice: Dice): Failpoint[] {
  if (all.length <= SAMPLE) return [...all];
  const kinds = CALLS.map((call) => all.filter((one) => one.call === call)).filter((some) => some.length > 0);
  const taken = new Set<Failpoint>();
  for (let turn = 0; taken.size < SAMPLE; turn++) {
    taken.add(dice.pick(kinds[turn % kinds.length] as Failpoint[]));
  }
  return [...taken];
}

function canTrace(): string | undefined {
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

describe("failpoints: killed at one exact call, before it is made", function () {
  this.timeout(SAMPLE > 1000 ? 1_200_000 : 120_000);
  this.slow(60_000);
  let bench: Bench;
  let dice: Dice;
  let jobs = 0;
  let traceFile: string;

  before(function () {
    const reason = canTrace();
    console.log(`    seed ${SEED}, ${SAMPLE} failpoints each (FJORD_TEST_SEED, FJORD_FAILPOINTS=all)`);
    if (reason === undefined) return;
    console.log(`    skipped: ${reason}`);
    this.skip();
  });
  beforeEach(() => {
    dice = new Dice(SEED);
    jobs = 0;
    bench = new Bench({ ...QUICK, retry_backoff: "0.05 s" });
    traceFile = path.join(bench.base, "trace");
  });
  afterEach(async function () {
    await bench.dispose(this.currentTest?.isFailed() ?? false);
  });

  /** Three jobs: one that succeeds at once, one that fails twice, one that is to be run again and takes a moment. */
  function submitThree(): void {
    const n = jobs++;
    bench.submit({ job: `a${n}`, ends: "jobdone" }, bench.line(0));
    bench.submit({ job: `b${n}`, ends: "jobfailed", retries: 1 }, bench.line(0, 1));
    bench.submit({ job: `c${n}`, ends: "jobdone" }, bench.line(0.02, "checkpoint"));
  }

  /** Waits until it was killed, or all is done and it has gone when told to. */
  async function untilKilledOrDone(daemon: Daemon, farewell: NodeJS.Signals): Promise<boolean> {
    const isDone = () => !daemon.isAlive() || bench.unended().length === 0;
    await until("it was killed, or all has ended", isDone, 60, () => bench.describe());
    daemon.kill(farewell);
    await until(
      "it has gone",
      () => !daemon.isAlive(),
      20,
      () => bench.describe(),
    );
    return daemon.exitCode === undefined;
  }

  /** One after the other dies at its failpoint; whoever comes next goes on. */
  async function sweep(
    points: readonly Failpoint[],
    start: (options?: { prefix: string[] }) => Daemon,
    prepare: () => void | Promise<void>,
    farewell: NodeJS.Signals,
  ): Promise<void> {
    const all = sample(points, dice);
    let deaths = 0;
    for (const [index, point] of all.entries()) {
      await prepare();
      if (await untilKilledOrDone(start(killAt(point)), farewell)) deaths++;
      if (index % ROUND !== ROUND - 1 && index !== all.length - 1) continue;
      await untilKilledOrDone(start(), farewell);
      await bench.untilEnded();
      try {
        bench.judge({ oneHost: true });
      } catch (error) {
        const round = all.slice(Math.max(0, index - ROUND + 1), index + 1).map(({ line }) => line);
        throw new Error(`${(error as Error).message}\nkilled before:\n${round.join("\n")}`);
      }
    }
    console.log(`      ${deaths} deaths at ${all.length} of ${points.length} failpoints`);
    expect(deaths).to.be.above(all.length / 2);
    await bench.closeDown();
  }

  it("a worker", async () => {
    bench.dispatcher();
    submitThree();
    expect(await untilKilledOrDone(bench.worker(trace(traceFile)), "SIGTERM")).to.equal(false);
    const points = failpointsOf(traceFile, bench.root);
    await sweep(points, (options) => bench.worker(options), submitThree, "SIGTERM");
  });

  it("a dispatcher that takes back, hands out and decides on retries", async () => {
    const scene = new Scene(bench);
    let dead = 0;
    // A dead worker's desk: a job that ran, one that had ended but for the rename, one that had not begun.
    const prepare = async () => {
      const worker = `dead${dead++}`;
      await scene.deadDesk(worker, [`x${dead}`, `y${dead}`, `z${dead}`]);
      submitThree();
    };
    bench.worker();
    await bench.onDuty(1);
    await prepare();
    expect(await untilKilledOrDone(bench.dispatcher(trace(traceFile)), "SIGINT")).to.equal(false);
    const points = failpointsOf(traceFile, bench.root);
    await sweep(points, (options) => bench.dispatcher(options), prepare, "SIGINT");
    await Scene.closeLedgers();
  });
});
