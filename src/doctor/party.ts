import type { Store } from "../spool/store.js";

/** A thing that both processes do at the same time, in a directory below the scratch directory. */
export interface RaceTask {
  readonly dir: string;
  /** How many names are raced for: `0`, `1`, `2` … */
  readonly count: number;
  /** When to start, by the doer's own clock. */
  readonly at: number;
}

/** What one process made of a race. */
export interface Run {
  /** The numbers that it was told it had won. */
  readonly won: readonly number[];
  /** Codes of errors other than that of having lost. */
  readonly errors: readonly string[];
}

/** `job`: as workers lock a job (a link, a directory where there are none). `seat`: as dispatchers lock their seat. */
export type LockKind = "job" | "seat";

/** A time during which a lock was held, ms by the holder's clock. */
export interface Hold {
  readonly from: number;
  readonly to: number;
}

/** Who takes part. */
export interface Greeting {
  readonly version: string;
  readonly host: string;
  /** Boot and pid namespace. */
  readonly space: string;
  /** Whether it finds the scratch directory with the mark in it, under the same path. */
  readonly sees: boolean;
  /** What its host takes the directory's file system for. */
  readonly kind: Store["kind"] | undefined;
}

/** A text that both processes know, in the file `mark`. */
export interface GreetTask {
  readonly mark: string;
  /** `store` of settings.ini. */
  readonly store: "auto" | "local" | "network";
}

/** Names of the files that `change` changes, in `delays/`. */
export const CHANGED = {
  made: "made",
  replaced: "replaced",
  rewritten: "rewritten",
  removed: "removed",
} as const;

/**
 * One of the two processes that test a directory. Rejects with the system's errors; `greet` comes first. Who races is
 * the same code on both sides: in this process, or asked for over a pipe or ssh.
 */
export interface Party {
  greet(task: GreetTask): Promise<Greeting>;
  /** Its clock: ms since 1970, with fractions, never set back. */
  clock(): Promise<number>;
  /** Creates each name exclusively. */
  create(task: RaceTask): Promise<Run>;
  /** Renames each name of the directory to one of its own beside it, `NUMBER.WHO`. */
  rename(task: RaceTask & { readonly who: string }): Promise<Run>;
  /** Renames new contents over the file, over and over. */
  replace(task: { readonly file: string; readonly size: number; readonly times: number }): Promise<void>;
  /** Takes and gives back a lock, over and over. */
  hold(task: { readonly kind: LockKind; readonly times: number; readonly at: number }): Promise<Hold[]>;
  /** Makes, replaces, rewrites and removes the files of `CHANGED`. */
  change(): Promise<void>;
  /** Makes a file. */
  make(file: string): Promise<void>;
}

/** Ms since 1970 by this process's clock, with fractions: monotonic, however the system's clock is set meanwhile. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
