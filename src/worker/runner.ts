import type { CpuTime } from "../ledger/line.js";
import type { RunRequest } from "./command.js";

/**
 * How a run ended.
 *
 * - `exited`: `seconds`: wall time; `end`: monotonic time of the end, ms. The runner may learn of several ends at once. Then both
 *   are the mean of these jobs.
 * - `shell-died`: the runner's whole process group was killed. `byGuardian`: its own guardian killed it.
 */
export type RanEnd =
  | {
      readonly kind: "exited";
      readonly status: number;
      readonly cpu: CpuTime | null;
      readonly seconds: number;
      readonly end: number;
    }
  | { readonly kind: "shell-died"; readonly byGuardian: boolean };

/**
 * The end of a job that was handed to a runner, as the runner tells it.
 *
 * - `skipped`: the job did not begin.
 * - `unrecorded`: the job did not begin, because the line `started` could not be written.
 */
export type RunEnd = RanEnd | { readonly kind: "skipped" } | { readonly kind: "unrecorded" };

/**
 * Port: a process that runs a worker's jobs, one after the other, each in the runner's process group. Whatever kills the runner
 * also kills the job and the processes that the job started in this group.
 */
export interface Runner {
  /** `pid:start token` of the process group, as the worker announces it. */
  readonly group: string;
  /** Working directory of the runner, which a job gets unless it names another. */
  readonly directory: string;
  readonly isAlive: boolean;
  /** Whether `skip` works on this system. If not, the runner gets one job at a time. */
  readonly canSkip: boolean;
  /**
   * Hands jobs to the runner, which runs them behind those that it already has. Before each job it appends the job's line `started`
   * to the worker's ledger. The ends may be told late, but at the latest when the last of these jobs has ended.
   *
   * @returns an end for each job; it never rejects
   */
  run(requests: readonly RunRequest[]): Promise<RunEnd>[];
  /** Tells the ends that have not been told. @returns number of jobs without an end: the one that runs, and those behind it */
  look(): number;
  /**
   * Lets no job begin behind the one that runs. Resolves when it is certain which job that is, or that none runs. The jobs behind
   * it have ended as `skipped` by then.
   */
  skip(): Promise<void>;
  /** Sends a signal to the whole process group. */
  signal(signal: NodeJS.Signals): void;
  /** S10: sets a deadline, in seconds, unless there is one. The runner dies when the deadline passes. */
  watch(deadline: number): void;
  /** S10: replaces the deadline. @param deadline seconds from now */
  renew(deadline: number): void;
  /** S10: removes the deadline, since no job runs. */
  rest(): void;
  /**
   * Measures the job's memory until `stop`, which returns the peak in bytes, or null when the system does not tell.
   *
   * @param longest longest time between two measurements, ms
   */
  watchMemory(longest: number): { stop(): number | null };
  /** Sentence for the log of a job that SIGKILL ended although the worker did not send it. */
  describeKill(): string;
  /** Whether processes of an ended job are alive in the group. While a job runs, this may be a false alarm. */
  hasLeftovers(): boolean;
  /** Kills the whole process group, and resolves when the runner has been reaped. Idempotent. */
  kill(): Promise<void>;
}

/**
 * @param environment variables that every job of this worker gets in addition to the worker's own environment
 * @param ledger path of the worker's ledger
 * @throws ErrnoException EAGAIN when the system can start no process now
 */
export type StartRunner = (
  directory: string,
  environment: Readonly<Record<string, string>>,
  ledger: string,
) => Runner;
