import path from "node:path";
import { expect } from "chai";
import { readArrays } from "../checker/arrays.js";
import type { RunningCommand } from "../rig/command.js";
import { Dice, SEED } from "../rig/dice.js";
import { type Failpoint, failpointsOf, sample, trace, traced } from "./strace.js";
import { QUICK, type StartOptions, WitnessedProject } from "./witnessed-project.js";

/** Calls that change the project's directory or read it. */
const CALLS = ["rename", "link", "unlink", "mkdir", "rmdir", "openat", "write", "utimensat"];
/** After this number of kills, one process is not killed. */
const ROUND = 6;

/** The way in which a kind of process is started and ended. */
export interface Victim {
  start(options?: StartOptions): RunningCommand;
  /** The signal that asks the process to end. */
  readonly farewell: NodeJS.Signals;
  /** Called before each start, to make new work. */
  prepare(): void | Promise<void>;
  /** Called before the start of a process that is not killed. */
  beforeLast?(): Promise<void>;
}

/** A project in which each process is killed at one exact call, before the call is made. */
export class KillSweep {
  readonly project = new WitnessedProject({ ...QUICK, retry_backoff: "0.05 s" });
  readonly dice = new Dice(SEED);
  readonly #traceFile = path.join(this.project.root, "trace");
  #jobs = 0;

  /** Options for a process whose calls are recorded. */
  get trace(): StartOptions {
    return trace(this.#traceFile, CALLS);
  }

  /** The recorded calls. */
  get points(): Failpoint[] {
    return failpointsOf(this.#traceFile, this.project.directory);
  }

  /** Options for a process that is killed at a call. */
  killAt({ call, n }: Failpoint): StartOptions {
    return traced("-o", "/dev/null", "-e", `trace=${call}`, "-e", `inject=${call}:signal=KILL:when=${n}`);
  }

  /** Submits a job that succeeds at once, one that fails twice, and one that asks for another run. */
  submitThree(): void {
    const { project } = this;
    const n = this.#jobs++;
    project.submit({ job: `a${n}`, ends: "jobdone" }, project.line(0));
    project.submit({ job: `b${n}`, ends: "jobfailed", retries: 1 }, project.line(0, 1));
    project.submit({ job: `c${n}`, ends: "jobdone" }, project.line(0.02, "checkpoint"));
  }

  /** Submits jobs that a worker takes several at once, with one among them that is longer than they are. */
  submitShort(): void {
    submitShort(this.project, `s${this.#jobs++}`);
  }

  /** @returns all calls of a process that is not killed */
  async record({ start, farewell }: Victim): Promise<Failpoint[]> {
    expect(await this.#untilKilledOrDone(start(this.trace), farewell)).to.equal(false);
    return this.points;
  }

  /** Starts one process after the other. Each is killed at its failpoint, and the next one continues its work. */
  async run(points: readonly Failpoint[], { start, farewell, prepare, beforeLast }: Victim): Promise<void> {
    const { project } = this;
    let deaths = 0;
    for (const [index, point] of points.entries()) {
      await prepare();
      if (await this.#untilKilledOrDone(start(this.killAt(point)), farewell)) deaths++;
      if (index % ROUND !== ROUND - 1 && index !== points.length - 1) continue;
      await beforeLast?.();
      await this.#untilKilledOrDone(start(), farewell);
      await project.untilEnded();
      try {
        project.judge({ oneHost: true });
      } catch (error) {
        const round = points.slice(Math.max(0, index - ROUND + 1), index + 1).map(({ line }) => line);
        throw new Error(`${(error as Error).message}\nkilled before:\n${round.join("\n")}`);
      }
    }
    console.log(`      ${deaths} deaths at ${points.length} failpoints`);
    // A process that makes fewer calls of a kind than the recorded one outlives its failpoint.
    expect(deaths).to.be.above(points.length / 3);
    await project.closeDown();
  }

  /** Chooses some failpoints for each kind of call. */
  sample(points: readonly Failpoint[], count: number): Failpoint[] {
    return sample(points, this.dice, count);
  }

  /**
   * Waits until the process is killed or all jobs have ended, and then ends the process.
   *
   * @returns whether it was killed
   */
  async #untilKilledOrDone(daemon: RunningCommand, farewell: NodeJS.Signals): Promise<boolean> {
    const { project } = this;
    const isDone = () => !daemon.isAlive || project.unended().every(this.#isHeld());
    await project.until("the daemon is killed, or all jobs have ended", isDone);
    daemon.kill(farewell);
    await project.until("the daemon has ended", () => !daemon.isAlive);
    return daemon.exitCode === undefined;
  }

  /** Finds the held numbers of arrays, which do not end. */
  #isHeld(): (job: string) => boolean {
    const held = readArrays(this.project.directory).placed.filter(([, place]) => place === "array held");
    const jobs = new Set(held.map(([job]) => job));
    return (job) => jobs.has(job);
  }
}

/** Submits short jobs that a worker takes several at once, with one among them that is longer than they are. */
export function submitShort(project: WitnessedProject, name: string): void {
  for (let n = 0; n < 14; n++) {
    const seconds = n === 9 ? 0.2 : 0;
    project.submit({ job: `${name}-${String(n).padStart(2, "0")}`, ends: "jobdone" }, project.line(seconds));
  }
}

/** Whether the worker that made these calls has claimed two jobs before it published the first of them. */
export function hasRows(points: readonly Failpoint[]): boolean {
  const steps = points.filter(
    ({ call, line }) => call === "link" || (call === "rename" && line.includes("jobdone")),
  );
  return steps.some(({ call }, index) => call === "link" && steps[index + 1]?.call === "link");
}

/** A worker that runs the three jobs. */
export function workerOf(sweep: KillSweep): Victim {
  return {
    start: (options) => sweep.project.worker(options),
    farewell: "SIGTERM",
    prepare: () => sweep.submitThree(),
  };
}
