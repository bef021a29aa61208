import type { CpuTime } from "../spool/ledger.js";
import type { RunRequest } from "./command.js";

/** How a run ended. `shell-died`: the whole group was killed, by whomever. */
export type RunEnd =
  | { kind: "exited"; status: number; cpu: CpuTime | null }
  | { kind: "shell-died"; byGuardian: boolean };

/** What runs a worker's jobs, one after the other. When it is killed, so is the job and all that belongs to it. */
export interface Launcher {
  /** `pid:start token` of the process group, as announced. */
  readonly group: string;
  /** Where it stands. */
  readonly directory: string;
  readonly isAlive: boolean;
  /** Runs one job; one at a time. Never rejects. */
  run(request: RunRequest): Promise<RunEnd>;
  /** Sends a signal to the job. */
  signal(signal: NodeJS.Signals): void;
  /** S10: a job runs, and it dies if its deadline is not renewed. @param deadline seconds */
  watch(deadline: number): void;
  /** S10: it dies if this is not said again within so many seconds. */
  renew(deadline: number): void;
  /** No job runs: no deadline. */
  rest(): void;
  /** Peak memory of the job, in bytes, from now until it is stopped; null when it cannot be told. @param longest ms between looks */
  watchMemory(longest: number): { stop(): number | null };
  /** Whether something of a job that has ended still lives. */
  hasLeftovers(): boolean;
  /** Comes back when nothing lives any more. */
  kill(): Promise<void>;
}

/**
 * @param environment what every job of this worker gets on top of the worker's own environment
 * @throws ErrnoException EAGAIN when no process can be started now
 */
export type StartLauncher = (directory: string, environment: Readonly<Record<string, string>>) => Launcher;
