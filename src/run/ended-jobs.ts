import { type EndState, endStateOf, pathInState } from "../jobs/places.js";
import type { JobRecord } from "../jobs/record.js";
import { type Closing, Fold, type Run } from "../ledger/fold.js";
import { Ledgers } from "../ledger/ledgers.js";
import type { LedgerLine } from "../ledger/line.js";
import type { Project } from "../library/project.js";
import { factsIfThere } from "../store/file-facts.js";
import { isStampOf } from "../store/stamp.js";
import type { Draft } from "../submission/draft.js";

/** A job that has ended, with its last attempt. */
export interface EndedJob {
  readonly job: string;
  readonly attempt: number;
  readonly state: EndState;
  /** Absolute path of the output. */
  readonly log: string;
}

/**
 * Follows the ledgers and reports each job of `fjord run` once, when its end is published. The end of a job is first recorded in
 * a ledger. Then a rename publishes the end (S6). If the worker is fenced in between, the end is never published.
 */
export class EndedJobs {
  readonly #project: Project;
  readonly #ledgers: Ledgers;
  readonly #fold = new Fold(() => undefined);
  /** Runs and decisions with an end whose job file has not yet been seen in the directory of the end. */
  readonly #unpublished = new Set<Run | Closing>();
  readonly #jobs = new Set<string>();
  readonly #onEnd: (ended: EndedJob) => void;
  #looking: Promise<void> | undefined;

  /** Reads only lines that are appended from now on, because earlier lines belong to other calls of `fjord run`. */
  constructor(project: Project, onEnd: (ended: EndedJob) => void = () => undefined) {
    this.#project = project;
    this.#ledgers = new Ledgers(project, "now");
    this.#onEnd = onEnd;
  }

  /** Continues the reading. While one call is reading, further calls wait for the same reading. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** Returns the records of these jobs. */
  async recordsOf(drafts: readonly Draft[]): Promise<JobRecord[]> {
    const records = new Map((await this.#project.records()).map((record) => [record.job, record]));
    return drafts.flatMap(({ job }) => records.get(job) ?? []); // a job has no record if a person has removed its file
  }

  async #look(): Promise<void> {
    for await (const line of this.#ledgers.read()) this.#note(line);
    for (const told of this.#unpublished) {
      const end = this.#jobs.has(told.job) ? undefined : endOf(told);
      if (end !== undefined && !(await this.#isPublished(told.job, end))) continue; // the rename may still follow
      this.#unpublished.delete(told);
      if (end !== undefined) this.#tell(told.job, end);
    }
  }

  #note(line: LedgerLine): void {
    if (!isToKeep(line) || this.#jobs.has(line.job)) return;
    const told = this.#fold.note(line);
    if (told !== undefined) this.#unpublished.add(told);
  }

  async #isPublished(job: string, { state, stamp }: End): Promise<boolean> {
    const { store, layout } = this.#project;
    for (const file of [`${job}.ini`, job]) {
      const facts = await factsIfThere(store, pathInState(layout, state, file));
      if (facts !== undefined && isStampOf(stamp, facts)) return true;
    }
    return false;
  }

  #tell(job: string, { attempt, state }: End): void {
    this.#jobs.add(job);
    this.#fold.forget(job);
    const log = this.#project.layout.attemptLog(job, attempt);
    this.#onEnd({ job, attempt, state, log });
  }
}

/** The attempt that ended, the state of the job after the rename, and the stamp of the job file. */
interface End {
  readonly attempt: number;
  readonly state: EndState;
  readonly stamp: string;
}

/** The end of the job in a run or a decision; undefined if the job goes on. */
function endOf(told: Run | Closing): End | undefined {
  if ("end" in told) {
    const { attempt, end } = told;
    if (end.kind !== "ended" && end.kind !== "lost") return undefined;
    const { to, stamp } = end;
    const state = endStateOf(to);
    return stamp !== undefined && state !== undefined ? { attempt, state, stamp } : undefined;
  }
  if (told.kind !== "given-up") return undefined;
  const { attempt, stamps } = told;
  const [stamp] = stamps;
  return stamp === undefined ? undefined : { attempt, state: "failed", stamp };
}

/** Whether a line records an end, or makes an end void. Other lines would only cost memory. */
function isToKeep(
  line: LedgerLine,
): line is LedgerLine & { event: "ended" | "discarded" | "lost" | "retry" } {
  switch (line.event) {
    case "ended":
      return endStateOf(line.to) !== undefined;
    case "discarded":
    case "lost":
    case "retry":
      return true;
    default:
      return false;
  }
}
