import { elementName } from "../job/element.js";
import { countOf, numbersOf } from "../job/numbers.js";
import { readHistory } from "../ledger/attempts.js";
import { type CancelOrHold, cancelOrHold } from "../spool/cancel.js";
import { leaveCancelRequest } from "../spool/cancel-request.js";
import { recordCommand } from "../spool/command-ledger.js";
import { stampAt } from "../spool/finish.js";
import { userAtHost } from "../spool/identity.js";
import type { Site } from "../store/site.js";
import { changeNumbers } from "./change-numbers.js";
import { hasNumber, nameOfNumbers, sizeOfPlace } from "./numbers.js";
import {
  isEnd,
  type JobPlace,
  type JobState,
  type NumbersPlace,
  pathInState,
  type SinglePlace,
} from "./places.js";
import { attemptsOfPlace } from "./record.js";

/**
 * Result of cancelling or holding one job. `done`: the job is cancelled, or held. `ended`: the job had ended before, or ended
 * meanwhile. `running`: the job has begun, so it cannot be held. `name-taken`: another job with the same name is held. `gone`:
 * the job is no longer found. `asked`: the worker has not answered yet, and the request stays on the desk.
 */
export interface CancelledOrHeld {
  readonly job: string;
  readonly end: "done" | "ended" | "running" | "name-taken" | "gone" | "asked";
  /** State in which the job was first found. */
  readonly state: JobState;
  /** Number of jobs, if the name stands for numbers of an array; 1 by default. */
  readonly count?: number;
}

/** A job that is not cancelled or held yet. */
export interface OpenJob {
  readonly job: string;
  readonly file: string;
  /** The requests for this job, by worker. A worker removes a request that it has answered. */
  readonly asked: Map<string, { readonly path: string; isAnswered: boolean }>;
}

/** State of a job after `cancel` and after `hold`. */
const STATE_AFTER = { cancel: "cancelled", hold: "held" } as const;

/** The steps of one command that cancels or holds jobs. */
export class Cancelling {
  readonly #site: Site;
  readonly #act: CancelOrHold;
  readonly #by = userAtHost();
  /** Last attempt and stamp of the file, for each job that waits for its next attempt. */
  readonly #begun = new Map<string, { readonly attempt: number; readonly stamp: string }>();
  /** Jobs that are cancelled, but whose cancellation is not in the ledger yet. */
  #unrecorded: string[] = [];

  constructor(site: Site, act: CancelOrHold) {
    this.#site = site;
    this.#act = act;
  }

  /**
   * Reads the last attempts of jobs that have begun before. The ledger line about the cancellation names the last attempt, so
   * that attempts are counted from 0 when somebody retries the job.
   */
  async readAttempts(places: readonly JobPlace[]): Promise<void> {
    if (this.#act === "hold") return;
    const { store, layout } = this.#site;
    const begun = new Map<string, SinglePlace>();
    for (const place of places) {
      const { job, state } = place;
      if (place.kind === "numbers" || isEnd(state)) continue;
      // The ledgers may be long. It is faster to check whether a log of the first attempt exists.
      if (state === "retrying" || (await store.has(layout.attemptLog(job, 1)))) begun.set(job, place);
    }
    if (begun.size === 0) return;
    const history = await readHistory(this.#site, (job) => begun.has(job));
    for (const [job, place] of begun) {
      const last = (await attemptsOfPlace(store, place, history)).at(-1);
      const stamp = await stampAt(store, place.path);
      if (last !== undefined && stamp !== undefined) this.#begun.set(job, { attempt: last.attempt, stamp });
    }
  }

  /**
   * S11: cancels or holds the numbers of an array that have no job file yet.
   *
   * @param ends gets an entry for these numbers
   * @returns the places of the other numbers, which have become jobs meanwhile
   */
  async changeNumbers(place: NumbersPlace, ends: CancelledOrHeld[]): Promise<SinglePlace[]> {
    const { job, state, numbers } = place;
    const to = STATE_AFTER[this.#act];
    if (state === to || state === "cancelled") {
      const end = state === "cancelled" ? "ended" : "done";
      ends.push({ job, state, end, count: sizeOfPlace(place) });
      return [];
    }
    const ranges = await changeNumbers(this.#site, place, [state], to);
    const changed = { array: numbers.array, ranges };
    if (ranges.length > 0) {
      const name = nameOfNumbers(changed);
      ends.push({ job: name, state, end: "done", count: countOf(ranges) });
      if (this.#act === "cancel") this.#unrecorded.push(name);
    }
    if (countOf(ranges) === countOf(numbers.ranges)) return [];
    const rest = [...numbersOf(numbers.ranges)].filter((number) => !hasNumber(changed, number));
    return rest.map((number) => {
      const name = elementName(numbers.array, number);
      const file = `${name}.ini`;
      const path = pathInState(this.#site.layout, "waiting", file);
      return { kind: "job", job: name, file, state: "waiting", path };
    });
  }

  /**
   * S4: cancels or holds one job.
   *
   * @param place where the job is now
   * @returns undefined if this is not decided yet
   */
  async tryOne(
    { job, file, asked }: OpenJob,
    place: SinglePlace | undefined,
  ): Promise<CancelledOrHeld["end"] | undefined> {
    if (place === undefined) return "gone";
    const { state, worker } = place;
    if (state === "held" && this.#act === "hold") return "done";
    if (state === "cancelled" && this.#act === "cancel" && asked.size > 0) return "done";
    if (isEnd(state)) return "ended";
    if (worker !== undefined) {
      const before = asked.get(worker);
      if (before === undefined) {
        const request = { what: this.#act, file, by: this.#by };
        const path = await leaveCancelRequest(this.#site, worker, request);
        if (path !== undefined) asked.set(worker, { path, isAnswered: false });
        return undefined;
      }
      if (this.#act === "cancel") return undefined;
      // Jobs that have not begun may be locked, too. A job runs if it is still locked when its worker has answered.
      if (before.isAnswered && state === "running") return "running";
      before.isAnswered = !(await this.#site.store.has(before.path));
      return undefined;
    }
    const moved = await cancelOrHold(this.#site, this.#act, place.path, file);
    if (moved === "gone") return undefined;
    if (moved === "name-taken") return moved;
    if (this.#act === "cancel") this.#unrecorded.push(job);
    return "done";
  }

  /**
   * Records in the ledger which jobs were cancelled.
   *
   * @throws ErrnoException whose message also names the jobs that are cancelled but not recorded
   */
  async record(): Promise<void> {
    const jobs = this.#unrecorded;
    this.#unrecorded = [];
    const events = jobs.map((job) => ({
      event: "cancelled" as const,
      job,
      attempt: 0,
      ...this.#begun.get(job),
      by: this.#by,
      reason: `by ${this.#by}`,
    }));
    try {
      await recordCommand(this.#site, this.#site.settings.flush, events);
    } catch (error) {
      const what = jobs.length === 1 ? `${jobs[0]} is` : `${jobs.length} jobs are`;
      const message = `${what} cancelled, but this cannot be written to the ledger: ${(error as Error).message}`;
      throw Object.assign(new Error(message, { cause: error }), {
        code: (error as NodeJS.ErrnoException).code,
      });
    }
  }
}
