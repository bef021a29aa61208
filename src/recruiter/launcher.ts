import type { ForeignValues } from "./foreign-values.js";

/** A worker that a launcher starts. */
export interface WorkerStart {
  readonly id: string;
  /** Program and arguments. */
  readonly command: readonly [string, ...string[]];
  /** Working directory of the worker. */
  readonly directory: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Values of `environment` that are not UTF-8. */
  readonly foreign: ForeignValues;
  /** File in which a launcher leaves the variables that it cannot pass to the process. The worker reads and removes the file. */
  readonly environmentFile: string;
  /** File for the worker's output when nobody sees its terminal. */
  readonly printed: string;
  /** Mode of the file `printed`. */
  readonly mode: number;
}

/**
 * Starts worker processes that outlive the terminal and the recruiter.
 *
 * `start` resolves when the process has been started. The worker is on duty later, when its announcement is in `workerqueue/`.
 * `start` is not idempotent, because each call starts one more process.
 */
export interface Launcher {
  /** Tells a person how to look at a worker that this launcher started. */
  whereabouts(start: WorkerStart): string;
  /**
   * @throws FjordError `launcher-missing` when the launcher's tool is not installed or fails; the system's error when the
   * process cannot be started
   */
  start(start: WorkerStart): Promise<void>;
}

/** Names of the launchers, the values of `--via`. */
export const LAUNCHERS = ["detached", "tmux", "screen"] as const;
export type LauncherName = (typeof LAUNCHERS)[number];
