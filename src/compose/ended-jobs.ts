import type { JobRecord } from "../report/record.js";
import type { LedgerLine } from "../spool/ledger.js";
import { Ledgers } from "../spool/ledgers.js";
import type { Draft } from "./draft.js";
import type { Project } from "./project.js";

/** A job that has come to its end, by its last attempt. */
export interface EndedJob {
  readonly job: string;
  readonly attempt: number;
  readonly state: "done" | "failed" | "cancelled";
  /** What it printed: absolute path. */
  readonly log: string;
}

/** Hears of the ends of a run's jobs from the ledgers as they grow; of each job once. */
export class EndedJobs {
  readonly #project: Project;
  readonly #ledgers: Ledgers;
  readonly #jobs = new Set<string>();
  /** Numbers of the last attempts before this run, by job. */
  readonly #before = new Map<string, number>();
  #onEnd: ((ended: EndedJob) => void) | undefined;
  #hear: (line: LedgerLine) => void = (line) => this.#pass(line);
  #looking: Promise<void> | undefined;
  private constructor(project: Project) {
    this.#project = project;
    this.#ledgers = new Ledgers(project.store, project.layout);
  }

  /** From now on: what the ledgers tell already is not of this run. */
  static async from(project: Project, onEnd: ((ended: EndedJob) => void) | undefined): Promise<EndedJobs> {
    const ended = new EndedJobs(project);
    await ended.look();
    ended.#onEnd = onEnd;
    ended.#hear = (line) => ended.#note(line);
    return ended;
  }

  /** One look at a time. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** What is known of these jobs, without what was before this run. */
  async recordsOf(drafts: readonly Draft[]): Promise<JobRecord[]> {
    const records = new Map((await this.#project.records()).map((record) => [record.job, record]));
    return drafts.flatMap(({ job }) => {
      const record = records.get(job);
      if (record === undefined) return []; // somebody has removed its file
      const before = this.#before.get(job) ?? 0;
      return [{ ...record, attempts: record.attempts.filter(({ attempt }) => attempt > before) }];
    });
  }

  async #look(): Promise<void> {
    for await (const line of this.#ledgers.read()) this.#hear(line);
  }

  #pass(line: LedgerLine): void {
    if (line.event !== "started") return;
    this.#before.set(line.job, Math.max(line.attempt, this.#before.get(line.job) ?? 0));
  }

  #note(line: LedgerLine): void {
    const state = endOf(line);
    if (state === undefined || !("attempt" in line) || this.#jobs.has(line.job)) return;
    const { job, attempt } = line;
    this.#jobs.add(job);
    this.#onEnd?.({ job, attempt, state, log: this.#project.layout.attemptLog(job, attempt) });
  }
}

/** The end that a line of the ledger tells of; undefined: the job goes on, or it is another matter. */
function endOf(line: LedgerLine): EndedJob["state"] | undefined {
  if (line.event !== "ended" && line.event !== "retry" && line.event !== "lost") return undefined;
  switch (line.to) {
    case "jobdone":
      return "done";
    case "jobfailed":
      return "failed";
    case "jobcancelled":
      return "cancelled";
    default:
      return undefined;
  }
}
