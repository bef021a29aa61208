import type { LauncherName } from "../recruiter/launcher.js";

export interface OpenOptions {
  /** Whether to make the project if it does not exist; true by default. */
  readonly create?: boolean;
  /**
   * Group whose members may submit jobs, hire and dispatch in a new project. By default, only the user who makes the project may
   * do so.
   */
  readonly shared?: string;
}

export interface HireOptions {
  /** Launcher of the workers; `detached` by default. */
  readonly via?: LauncherName;
  /** Working directory of the workers; by default the one of this process. */
  readonly directory?: string;
  /** Environment of workers and jobs; by default the one of this process. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Seconds that workers may take to come on duty; 60 by default. */
  readonly patience?: number;
  /** A signal that stops the hire. The call then starts no more workers, and returns the workers that have come on duty. */
  readonly signal?: AbortSignal;
}

export interface FireOptions {
  /** Worker ids; all workers of the project by default. */
  readonly workers?: readonly string[];
  /** Whether to stop the workers' jobs, too, which then go back to the queue. */
  readonly now?: boolean;
  /** Whether to wait until all these workers have left, without a limit of time. */
  readonly untilGone?: boolean;
  /** Worker whose job makes this call. The call does not wait for this worker. */
  readonly own?: string | undefined;
  /** Seconds to wait for the workers' answer; a few by default. */
  readonly patience?: number;
}
