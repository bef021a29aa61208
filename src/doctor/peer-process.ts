import type { Store } from "../store/store.js";

/** Request to take part in a race, in a directory below the scratch directory. Both processes get one. */
export interface RaceTask {
  readonly dir: string;
  /** Number of names in the race: `0`, `1`, `2` … */
  readonly count: number;
  /** Time of the start, by the clock of the process that gets the request. */
  readonly at: number;
}

/** Result of a race for one process. */
export interface RaceResult {
  /** Numbers of the calls that succeeded. */
  readonly won: readonly number[];
  /** Codes of the errors other than the error of a lost race. */
  readonly errors: readonly string[];
}

/**
 * `job`: the lock that a worker takes on a job, a hard link or a directory. `seat`: the lock of the dispatcher that assigns
 * jobs.
 */
export type LockKind = "job" | "seat";

/** Time during which a process held a lock, in ms by its own clock. */
export interface Hold {
  readonly from: number;
  readonly to: number;
}

/** First answer of a peer: its host, and whether it can take part. */
export interface Greeting {
  readonly version: string;
  readonly host: string;
  /** Boot id and pid namespace of the process. */
  readonly space: string;
  /** Whether the peer finds the scratch directory with the right mark, under the same path. */
  readonly sees: boolean;
  /** Kind of the store that the peer opens. */
  readonly kind: Store["kind"] | undefined;
}

/** Request for a greeting. */
export interface GreetTask {
  /** Random text in the file `mark`. It shows that both processes see the same directory. */
  readonly mark: string;
  /** `store` of settings.ini. */
  readonly store: "auto" | "local" | "network";
}

/** Names of the files that `change` changes. They lie in `delays/`. */
export const CHANGED = {
  made: "made",
  replaced: "replaced",
  rewritten: "rewritten",
  removed: "removed",
} as const;

/**
 * One of the two processes that test a directory. Both run the same code: this process calls it directly, and the second
 * process gets requests through a pipe or ssh. `greet` must be called first. All methods reject with the errors of the
 * system.
 */
export interface PeerProcess {
  greet(task: GreetTask): Promise<Greeting>;
  /** Reads the peer's clock, as `now` does. */
  clock(): Promise<number>;
  /** Creates each name exclusively. */
  create(task: RaceTask): Promise<RaceResult>;
  /** Renames each file to `NUMBER.WHO`, in the same directory. */
  rename(task: RaceTask & { readonly who: string }): Promise<RaceResult>;
  /** Replaces a file by renaming new contents over it, several times. */
  replace(task: { readonly file: string; readonly size: number; readonly times: number }): Promise<void>;
  /** Takes and releases a lock, several times. @returns the times of all holds */
  hold(task: { readonly kind: LockKind; readonly times: number; readonly at: number }): Promise<Hold[]>;
  /** Creates, replaces, overwrites and removes the files of `CHANGED`. */
  change(): Promise<void>;
  /** Creates an empty file. */
  make(file: string): Promise<void>;
}

/** Ms since 1970, with fractions. The value only grows, also when somebody sets the system's clock. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
