import type { Announcement } from "../spool/announcement.js";
import type { Claimed } from "../spool/finish.js";
import type { Stop } from "./stop.js";

/** The attempt that a worker runs, as far as the worker's state shows it. */
export interface RunningAttempt {
  readonly file: string;
  readonly job: string;
  readonly number: number;
  readonly started: Date;
  /** The job file that the attempt has claimed on the desk. */
  readonly claimed: Claimed | undefined;
  /** Kills the job's process group. Resolves when no process of the group is alive. */
  stop(why: Stop): Promise<void>;
}

/** How a worker leaves: it finishes its job first, or it stops the job `now`, and the job goes back to the queue. */
export type Leave = "after-job" | "now";

export type State =
  | { readonly kind: "idle" }
  | { readonly kind: "busy"; readonly attempt: RunningAttempt | undefined }
  | { readonly kind: "stalled"; readonly attempt: RunningAttempt | undefined }
  | {
      readonly kind: "leaving";
      readonly how: Leave;
      readonly why: string;
      readonly attempt: RunningAttempt | undefined;
    }
  | { readonly kind: "clearing"; readonly why: string }
  | { readonly kind: "fenced"; readonly why: string };

/** Kinds of state that may follow each kind. A state that may follow itself does so with other data. */
const FOLLOWERS: Readonly<Record<State["kind"], readonly State["kind"][]>> = {
  idle: ["busy", "stalled", "leaving", "fenced"],
  busy: ["busy", "idle", "stalled", "leaving", "fenced"],
  stalled: ["stalled", "idle", "busy", "leaving", "fenced"],
  leaving: ["leaving", "clearing", "fenced"],
  clearing: [],
  fenced: [],
};

/**
 * The state machine of one worker. Only `enter` changes the state.
 *
 *     hired ──► idle ◄──► busy ◄──► stalled ◄──► idle
 *                 │         │          │
 *                 ├─────────┴──────────┴──► leaving ──► clearing ──► gone
 *                 │                            │
 *                 └────────────────────────────┴──► fenced ──► gone
 *
 * - idle: the desk is empty. The worker waits for a watch event, the next poll or a note.
 * - busy: the worker takes the jobs on its desk. Between two of them it has no attempt.
 * - stalled: as busy, but the store takes no writes, because the disk is full for example. The worker waits until it does.
 * - leaving: a note, a signal or the idle limit ended the worker's duty. It takes no more jobs, and may still run one.
 * - clearing: the jobs on the desk go back to the queue, and the worker removes the desk.
 * - fenced: the desk has vanished, which means that a dispatcher declared the worker lost. The worker kills its job before
 *   anything else (S10) and publishes nothing.
 */
export class StateMachine {
  #state: State;
  readonly #entered: (state: State) => void;

  /** @param entered called after each change, with the new state */
  constructor(entered: (state: State) => void = () => undefined, first: State = { kind: "idle" }) {
    this.#entered = entered;
    this.#state = first;
  }

  get current(): State {
    return this.#state;
  }

  get attempt(): RunningAttempt | undefined {
    return attemptOf(this.#state);
  }

  /** Whether the worker may begin jobs. */
  get takesJobs(): boolean {
    const { kind } = this.#state;
    return kind === "idle" || kind === "busy" || kind === "stalled";
  }

  /** Whether a job of this worker may run. */
  get mayRun(): boolean {
    return this.takesJobs || this.#state.kind === "leaving";
  }

  /** @throws Error when the state may not follow the current one, which is a bug of the caller */
  enter(next: State): void {
    const before = this.#state;
    if (!mayFollow(before, next))
      throw new Error(`a worker that is ${before.kind} cannot become ${next.kind}`);
    this.#state = next;
    this.#entered(next);
  }

  /** An attempt has its number and starts to run. A worker that is leaving has claimed the job before it was told to leave. */
  begin(attempt: RunningAttempt): void {
    const state = this.#state;
    this.enter(state.kind === "leaving" ? { ...state, attempt } : { kind: "busy", attempt });
  }

  /** The attempt has ended. A job that the worker claimed may also have ended before it began to run. */
  endAttempt(): void {
    const state = this.#state;
    switch (state.kind) {
      case "busy":
      case "stalled":
      case "leaving":
        this.enter({ ...state, attempt: undefined });
        break;
      case "idle":
      case "clearing":
      case "fenced":
        break;
      default:
        state satisfies never;
    }
  }

  /** The desk is empty. @returns whether the worker was not idle before */
  rest(): boolean {
    if (this.#state.kind === "idle") return false;
    this.enter({ kind: "idle" });
    return true;
  }

  /** The store takes no writes. A worker that leaves or is fenced keeps its state. */
  stall(): void {
    if (this.takesJobs) this.enter({ kind: "stalled", attempt: this.attempt });
  }

  /** @returns false when the worker is leaving already, and at least as soon */
  leave(how: Leave, why: string): boolean {
    const state = this.#state;
    switch (state.kind) {
      case "idle":
      case "busy":
      case "stalled":
        break;
      case "leaving":
        if (state.how === "now" || how === "after-job") return false;
        break;
      case "clearing":
      case "fenced":
        return false;
      default:
        return state satisfies never;
    }
    this.enter({ kind: "leaving", how, why, attempt: this.attempt });
    return true;
  }

  /** The last job of a worker that is leaving has ended. @param why reason to tell in the ledger */
  clear(why: string): void {
    this.enter({ kind: "clearing", why });
  }

  /** The worker was declared lost. @returns false when it knows that already */
  fence(): boolean {
    if (this.#state.kind === "fenced") return false;
    this.enter({ kind: "fenced", why: "declared lost" });
    return true;
  }
}

/** The part of the announcement (S7) that a state decides. `job: null`: no job runs. */
export function announced(
  state: State,
): Pick<Announcement, "state"> & { job: NonNullable<Announcement["job"]> | null } {
  switch (state.kind) {
    case "idle":
      return { state: "idle", job: null };
    case "busy":
    case "stalled":
    case "leaving":
      return { state: state.kind, job: announcedJob(state.attempt) };
    case "clearing":
    case "fenced": // a late heartbeat may still announce this worker, and no dispatcher may assign jobs to it
      return { state: "leaving", job: null };
    default:
      return state satisfies never;
  }
}

function announcedJob(attempt: RunningAttempt | undefined): NonNullable<Announcement["job"]> | null {
  if (attempt === undefined) return null;
  return { name: attempt.job, attempt: attempt.number, started: attempt.started.toISOString() };
}

function attemptOf(state: State): RunningAttempt | undefined {
  switch (state.kind) {
    case "busy":
    case "stalled":
    case "leaving":
      return state.attempt;
    case "idle":
    case "clearing":
    case "fenced":
      return undefined;
    default:
      return state satisfies never;
  }
}

/**
 * While an attempt runs, the next state has the same attempt. The attempt may end while the kind of state stays, or the state
 * drops it because the worker is fenced.
 */
function mayFollow(before: State, next: State): boolean {
  if (!FOLLOWERS[before.kind].includes(next.kind)) return false;
  const running = attemptOf(before);
  if (running === undefined || attemptOf(next) === running) return true;
  return attemptOf(next) === undefined && (next.kind === before.kind || next.kind === "fenced");
}
