import type { Range } from "../job/numbers.js";
import type { Destination } from "../ledger/line.js";
import type { EndRoom, Layout } from "../project/layout.js";
import type { PartKind } from "../spool/array-parts.js";

/** States in which a job has ended. */
export type EndState = "done" | "failed" | "cancelled";

/** States whose job files lie in a directory of their own. The file of a running job lies on the desk of its worker. */
export type RoomState = "waiting" | "held" | "retrying" | EndState;

/**
 * `waiting`: in the queue, or on a desk and not begun. `retrying`: an attempt has ended, and the job waits for the next one.
 * `held`: the job waits until somebody releases it.
 */
export type JobState = RoomState | "running";

/** Where the files of jobs in a state lie, and what happens next to these jobs. */
interface Room {
  /** `pending`: the job runs, or will run. */
  readonly phase: "pending" | "held" | "ended";
  readonly directory: (layout: Layout) => string;
  readonly pathOf: (layout: Layout, file: string) => string;
  /** Destination (`to`) in a ledger line that means that a job has ended in this state. */
  readonly end?: EndRoom;
}

/** A job's states, in the order in which a job goes through them, with their directories. */
const ROOMS: Readonly<Record<RoomState, Room> & { running: Pick<Room, "phase"> }> = {
  waiting: { phase: "pending", directory: (l) => l.jobqueue, pathOf: (l, file) => l.queued(file) },
  held: { phase: "held", directory: (l) => l.jobheld, pathOf: (l, file) => l.held(file) },
  running: { phase: "pending" },
  retrying: { phase: "pending", directory: (l) => l.retryDesk, pathOf: (l, file) => l.toRetry(file) },
  done: endRoom("jobdone"),
  failed: endRoom("jobfailed"),
  cancelled: endRoom("jobcancelled"),
};

function endRoom(end: EndRoom): Room {
  return { phase: "ended", end, directory: (l) => l.end(end), pathOf: (l, file) => l.ended(end, file) };
}

/** All states, in the order in which a job goes through them. */
export const JOB_STATES = Object.keys(ROOMS) as JobState[];
export const ROOM_STATES = JOB_STATES.filter((state) => state !== "running");
export const END_STATES = JOB_STATES.filter(isEnd);

/** State of a job that has ended, from the `to` of its last ledger line; undefined if that line is not about an end. */
export function endStateOf(to: Destination | undefined): EndState | undefined {
  if (to === undefined) return undefined;
  return END_STATES.find((state) => ROOMS[state].end === to);
}

export function isEnd(state: JobState): state is EndState {
  return phaseOf(state) === "ended";
}

/** Directory of the files of jobs in a state. */
export function directoryOfState(layout: Layout, state: RoomState): string {
  return ROOMS[state].directory(layout);
}

/** Path of a job file in a given state. */
export function pathInState(layout: Layout, state: RoomState, file: string): string {
  return ROOMS[state].pathOf(layout, file);
}

/** States of numbers of an array that have no job files yet. */
export const NUMBER_STATES = ["waiting", "held", "cancelled"] as const satisfies readonly PartKind[];

/** Numbers of an array that have no job files yet and share one place. */
export interface Numbers {
  readonly array: string;
  /** The ranges, in ascending order of their first numbers. */
  readonly ranges: readonly Range[];
}

/** A job that has a file of its own. */
export interface SinglePlace {
  readonly kind: "job";
  readonly job: string;
  /** Name of the job file. */
  readonly file: string;
  readonly state: JobState;
  /** Absolute path of the job file. */
  readonly path: string;
  /** Worker on whose desk the file lies, if it lies on a desk. */
  readonly worker?: string;
}

/** Numbers of an array that have no job files yet and are in the same state. */
export interface NumbersPlace {
  readonly kind: "numbers";
  /** Name for all these numbers: `A_17`, `A_[18-1000]`. */
  readonly job: string;
  /** Name of the array's job file, as the user submitted it. */
  readonly file: string;
  readonly state: PartKind;
  /** Absolute path of the array's job file. */
  readonly path: string;
  readonly numbers: Numbers;
}

/** Where a job is now, as the directories show. */
export type JobPlace = SinglePlace | NumbersPlace;

export function isSingle(place: JobPlace): place is SinglePlace {
  return place.kind === "job";
}

export function isNumbers(place: JobPlace): place is NumbersPlace {
  return place.kind === "numbers";
}

type Stateful = Pick<JobPlace, "state">;

/** Whether a job runs, or will run. */
export function isPending({ state }: Stateful): boolean {
  return phaseOf(state) === "pending";
}

/** Whether a job has not ended. */
export function isOpen({ state }: Stateful): boolean {
  return !isEnd(state);
}

/** Worker on whose desk a job lies; undefined if it lies on no desk. */
export function workerOf(place: JobPlace): string | undefined {
  return place.kind === "job" ? place.worker : undefined;
}

/** Whether a job waits and lies on no desk. */
export function isQueued(place: JobPlace): boolean {
  return place.state === "waiting" && workerOf(place) === undefined;
}

function phaseOf(state: JobState): Room["phase"] {
  return ROOMS[state].phase;
}
