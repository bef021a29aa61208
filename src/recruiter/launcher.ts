/** What a launcher is to start. */
export interface WorkerStart {
  readonly id: string;
  /** Program and arguments. */
  readonly command: readonly [string, ...string[]];
  readonly directory: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Where the worker looks for its environment when its launcher cannot hand it on. */
  readonly environmentFile: string;
  /** Where what it prints goes when nobody sees its terminal. */
  readonly printed: string;
  /** Of that file. */
  readonly mode: number;
}

/**
 * Starts worker processes that outlive the terminal and the recruiter. `start` comes back when the process has been
 * started, not when it is on duty: `workerqueue/` tells that, whatever the launcher.
 */
export interface Launcher {
  /** How to look at a worker that it started, for people. */
  whereabouts(start: WorkerStart): string;
  /** @throws FjordError `launcher-missing` when the tool is not installed */
  start(start: WorkerStart): Promise<void>;
}

export const LAUNCHERS = ["detached", "tmux", "screen"] as const;
export type LauncherName = (typeof LAUNCHERS)[number];
