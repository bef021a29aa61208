import type { Outcome } from "../job/outcome.js";
import type { Site } from "../store/site.js";
import { type FileMark, isSameStamp } from "../store/stamp.js";
import { type Closing, Fold, type Run } from "./fold.js";
import { Ledgers } from "./ledgers.js";
import type { LedgerLine } from "./line.js";
import { byNumber, isAfter, lifeOf } from "./lives.js";

/** Counts of a job's attempts after the last final outcome of the job. */
export interface Counted {
  readonly failed: number;
  readonly lost: number;
  /** Number of the latest attempt that failed; 0 when no attempt failed. */
  readonly latest: number;
  /** Outcome of the attempt `latest`. */
  readonly outcome?: Outcome;
  /** Whether a later attempt than `latest` asked fjord to run the job again. */
  readonly requeued: boolean;
}

/**
 * Counts attempts for S8 and S9. The first call reads all ledgers, and each later call reads only the lines that were appended
 * since then. Only jobs with a failed or lost attempt are kept in memory, so a million jobs that succeed at the first attempt
 * cost nothing.
 */
export class Counts {
  readonly #ledgers: Ledgers;
  readonly #fold = new Fold(() => undefined);

  constructor(site: Site) {
    this.#ledgers = new Ledgers(site);
  }

  /**
   * Counts the attempts of one job.
   *
   * @param file distinguishes the job from other jobs with the same name
   * @param except a run that does not count, because the caller is deciding about this run, perhaps for the second time
   */
  async attemptsOf(job: string, file: FileMark, except?: string): Promise<Counted> {
    const told = await this.#lifeOf(job, file);
    const runs = told.filter(isRun).filter(({ run }) => run !== except);
    const finals = [...told.filter(isFinalClosing), ...runs.filter((run) => countedAs(run) === "final")];
    const counted = runs.filter((run) => finals.every((final) => isAfter(run, final)));
    const failed = counted.filter((run) => countedAs(run) === "failed").sort(byNumber);
    const latest = failed.at(-1);
    return {
      failed: failed.length,
      lost: counted.filter((run) => countedAs(run) === "lost").length,
      latest: latest?.attempt ?? 0,
      requeued: counted.some((run) => countedAs(run) === "requeued" && (!latest || isAfter(run, latest))),
      ...(latest?.end.kind === "ended" && { outcome: latest.end.outcome }),
    };
  }

  /** Whether the job whose file has this stamp was given up already. If so, only the rename is missing. */
  async isGivenUp(job: string, stamp: string): Promise<boolean> {
    await this.#readOn();
    const closings = this.#fold.jobs.get(job)?.closings ?? [];
    return closings.some(
      ({ kind, stamps }) => kind === "given-up" && stamps.some((one) => isSameStamp(one, stamp)),
    );
  }

  /** Whether a run was declared lost. If so, the run is void. */
  async isLost(job: string, run: string): Promise<boolean> {
    await this.#readOn();
    return this.#fold.jobs.get(job)?.runs.get(run)?.end.kind === "lost";
  }

  /**
   * Attempt numbers that may have been used although no ledger records their end. If this life has a recorded end, this is the
   * number after its last end. Otherwise there are two such numbers: the one after the last end of any job of this name, and 1,
   * because the logs may have been removed.
   */
  async untoldNumbers(job: string, file: FileMark): Promise<number[]> {
    const life = await this.#lifeOf(job, file);
    if (life.length > 0) return [1 + highest(life)];
    return [...new Set([1, 1 + highest([...(this.#fold.jobs.get(job)?.runs.values() ?? [])])])];
  }

  async #lifeOf(job: string, file: FileMark): Promise<(Run | FinalClosing)[]> {
    await this.#readOn();
    const told = this.#fold.jobs.get(job);
    return told === undefined
      ? []
      : lifeOf([...told.runs.values(), ...told.closings.filter(isFinalClosing)], file);
  }

  async #readOn(): Promise<void> {
    for await (const line of this.#ledgers.read()) {
      if ("job" in line && isToKeep(line, this.#fold.jobs.has(line.job))) this.#fold.note(line);
    }
  }
}

type FinalClosing = Extract<Closing, { kind: "given-up" | "cancelled" }>;

/**
 * Whether a closing ends the count, so that attempts before the closing no longer count. A closing before the first attempt has
 * no attempts to exclude.
 */
function isFinalClosing(closing: Run | Closing): closing is FinalClosing {
  return "kind" in closing && closing.kind !== "refused" && closing.attempt > 0;
}

function isRun(told: Run | Closing): told is Run {
  return "end" in told;
}

/**
 * How S9 counts a run. `final`: this run and all earlier runs no longer count. `nothing`: the job went back to the queue without
 * an outcome.
 */
function countedAs({ end }: Run): "failed" | "requeued" | "lost" | "final" | "nothing" {
  switch (end.kind) {
    case "open":
    case "discarded":
      return "nothing";
    case "lost":
      return end.to === "jobfailed" ? "final" : "lost";
    case "ended":
      if (end.to === "jobqueue") return "nothing";
      if (end.outcome.kind === "requeued") return "requeued";
      return end.to === "retry" ? "failed" : "final";
    default:
      return end satisfies never;
  }
}

/**
 * Whether to keep a line in memory. For a job whose first attempt is final, there is nothing to count, so no line is kept.
 *
 * @param isKnown whether an earlier line about this job was kept
 */
function isToKeep(line: LedgerLine, isKnown: boolean): boolean {
  switch (line.event) {
    case "ended":
      return isKnown || line.attempt > 1 || line.to === "jobqueue" || line.to === "retry";
    case "lost":
    case "discarded":
      return true;
    case "retry":
      return line.to === "jobfailed";
    case "cancelled":
      return line.attempt > 0;
    default:
      return false;
  }
}

function highest(told: readonly { readonly attempt: number }[]): number {
  return told.reduce((most, { attempt }) => Math.max(most, attempt), 0);
}
