import path from "node:path";
import type { DispatchOptions, DispatchResult } from "../dispatcher/dispatch.js";
import type { Explanation } from "../explain/explain-jobs.js";
import { FjordError } from "../job/error.js";
import type { CancelOptions } from "../jobs/cancel.js";
import type { CancelledOrHeld } from "../jobs/cancelling.js";
import type { Cleaned, CleanOptions } from "../jobs/clean.js";
import type { Edited, EditOptions, Editor } from "../jobs/edit.js";
import type { JobPlace, JobState } from "../jobs/places.js";
import type { JobRecord } from "../jobs/record.js";
import type { Released } from "../jobs/release.js";
import type { Retried } from "../jobs/retry.js";
import type { WaitOptions, WaitResult } from "../jobs/wait.js";
import type { JobHistory } from "../ledger/attempts.js";
import { type EventOptions, events } from "../ledger/follow.js";
import type { LedgerLine } from "../ledger/line.js";
import type { Access } from "../project/access.js";
import { currentDirectory } from "../project/current-directory.js";
import type { Layout } from "../project/layout.js";
import { PACKAGE_ROOT } from "../project/package-root.js";
import type { Settings } from "../project/settings.js";
import type { Fired } from "../recruiter/fire.js";
import type { Hired } from "../recruiter/hire.js";
import type { ArrayRecord } from "../report/array-record.js";
import type { ResultRow } from "../report/results.js";
import { readStatus, readWorkers, type Status, type WorkerStatus } from "../report/status.js";
import type { Site } from "../store/site.js";
import type { Store } from "../store/store.js";
import type { Draft } from "../submission/draft.js";
import type { SubmissionOptions } from "../submission/submit-drafts.js";
import type { Wanted } from "../submission/wanted.js";
import { type OpenedSite, openSite } from "./open-site.js";
import type { FireOptions, HireOptions, OpenOptions } from "./options.js";
import type { SubmittedJob } from "./submitted-job.js";

/**
 * A project as programs use it. Its methods do the same as the four commands. All state is in the directory, so any number of
 * processes and hosts may open the same project. Each method loads its code when it is first called.
 *
 * ```ts
 * import { Project } from "fjord";
 * const project = await Project.open("./results");
 * await project.submit("hello.ini", "[control]\nexecutable: echo hello\n");
 * await project.hire(4);
 * const { succeeded, failed } = await project.dispatch();
 * await project.fire();
 * ```
 */
export class Project implements Site {
  readonly layout: Layout;
  readonly store: Store;
  readonly settings: Settings;
  readonly access: Access;
  /** Whether `settings.ini` says whose jobs are run. */
  readonly hasJobOwners: boolean;

  private constructor({ layout, store, settings, access, hasJobOwners }: OpenedSite) {
    this.layout = layout;
    this.store = store;
    this.settings = settings;
    this.access = access;
    this.hasJobOwners = hasJobOwners;
  }

  /**
   * Opens a project. Makes its directories if they do not exist, unless `create` is false.
   *
   * @param project a name below `$FJORD_HOME` (`~/.fjord`), or a path with a `/` in it; by default `$FJORD_PROJECT`, or else
   * `default`
   * @throws FjordError `bad-project` if the directory cannot be a project; `no-such-project` if it does not exist and `create`
   * is false; `bad-settings`
   */
  static async open(
    project?: string,
    env: NodeJS.ProcessEnv = process.env,
    options: OpenOptions = {},
  ): Promise<Project> {
    return new Project(openSite(project, env, options));
  }

  /** Absolute path of the project's directory. */
  get directory(): string {
    return this.layout.root;
  }

  /**
   * S1: puts a job file into the queue. The job is accepted when this call returns. The call does not check the text. The
   * dispatcher refuses a file that is not a valid job.
   *
   * @throws FjordError `job-refused` for a name that no job can have, or that a waiting job already has
   */
  submit(file: string, text: string): Promise<SubmittedJob>;
  /**
   * Checks one job of a command or job file, and puts it into the queue. Use `draft` and `submitDrafts` for many at once.
   *
   * @throws FjordError `bad-usage`, `job-refused`
   */
  submit(wanted: Wanted): Promise<SubmittedJob>;
  async submit(wanted: string | Wanted, text = ""): Promise<SubmittedJob> {
    const { SubmittedJob } = await import("./submitted-job.js");
    if (typeof wanted === "string") {
      const { submit } = await import("../spool/submit.js");
      await submit(this, wanted, text, this.settings.flush);
      return new SubmittedJob(this, wanted);
    }
    const [draft, ...more] = await this.draft(wanted);
    if (draft === undefined || more.length > 0) {
      throw new FjordError("bad-usage", `These are ${more.length + 1} jobs.`, "Use draft and submitDrafts.");
    }
    if (draft.array !== undefined) {
      const message = `${draft.file} is ${draft.array.size} jobs.`;
      throw new FjordError("bad-usage", message, "Use draft and submitDrafts.");
    }
    await this.submitDrafts([draft]);
    return new SubmittedJob(this, draft.file);
  }

  /**
   * Checks the jobs of a command or of job files, for `submitDrafts`.
   *
   * @throws FjordError `bad-usage`, `job-refused`
   */
  async draft(wanted: Wanted): Promise<Draft[]> {
    const { draftsOf } = await import("../submission/wanted.js");
    return draftsOf(wanted);
  }

  /**
   * S1: puts drafts into the queue. If a job with one of their names waits or runs, none of the drafts is submitted. With
   * `replace`, the drafts replace these jobs instead.
   *
   * @returns names of jobs that are on a worker's desk and could not be replaced. The new jobs run after them.
   * @throws FjordError `job-refused`
   */
  async submitDrafts(drafts: readonly Draft[], options: SubmissionOptions = {}): Promise<string[]> {
    const { submitDrafts } = await import("../submission/submit-drafts.js");
    return submitDrafts(this, drafts, options);
  }

  /**
   * Starts workers that outlive this process. Returns when they are on duty.
   *
   * @throws FjordError `hire-failed`, `launcher-missing`
   */
  async hire(count: number, options: HireOptions = {}): Promise<Hired[]> {
    const { hire } = await import("../recruiter/hire.js");
    return hire(this, {
      count,
      via: options.via ?? "detached",
      program: [process.execPath, path.join(PACKAGE_ROOT, "bin", "hired-worker.js")],
      directory: options.directory ?? currentDirectory(),
      environment: options.environment ?? process.env,
      patience: options.patience ?? 60,
      signal: options.signal,
    });
  }

  /**
   * Fires workers, on any host. They finish their jobs first, unless `now` is true.
   *
   * @throws FjordError `no-such-worker`
   */
  async fire(options: FireOptions = {}): Promise<Fired[]> {
    const [{ fire }, { recruiterAt }] = await Promise.all([
      import("../recruiter/fire.js"),
      import("./recruiter.js"),
    ]);
    const { poll, grace } = this.settings;
    const recruiter = recruiterAt(this);
    try {
      return await fire(recruiter, {
        workers: options.workers ?? [],
        now: options.now ?? false,
        patience: options.patience ?? Math.max(5, poll * 2) + (options.now ? grace : 0),
        untilGone: options.untilGone ?? false,
        own: options.own,
      });
    } finally {
      await recruiter.close();
    }
  }

  /**
   * Takes the dispatcher lock, or stands by until the lock is free. Then hands out jobs, and returns when all jobs have ended.
   */
  async dispatch(options: DispatchOptions = {}): Promise<DispatchResult> {
    const { dispatch } = await import("../dispatcher/dispatch.js");
    return dispatch(this, options);
  }

  /** Reads who is on duty, and what each worker does. */
  workers(): Promise<readonly WorkerStatus[]> {
    return readWorkers(this);
  }

  status(): Promise<Status> {
    return readStatus(this, this.settings.beat);
  }

  /** Yields the lines of the ledgers as they are written, from this call on. */
  events(options: EventOptions = {}): AsyncGenerator<LedgerLine, void, void> {
    return events(this, options);
  }

  /**
   * Finds jobs by names, patterns (`run*`) and ranges (`run{1..50}`). Each job comes once. Without names, the call finds all
   * jobs.
   *
   * @throws FjordError `no-such-job`
   */
  async jobs(selection: readonly string[] = [], states?: ReadonlySet<JobState>): Promise<JobPlace[]> {
    const { selectJobs } = await import("../jobs/select.js");
    return selectJobs(this, selection, states);
  }

  /**
   * Finds jobs as `jobs` does, with everything that the ledgers record about them.
   *
   * @throws FjordError `no-such-job`
   */
  async records(selection: readonly string[] = []): Promise<JobRecord[]> {
    const places = await this.jobs(selection);
    const { readRecords } = await import("../jobs/record.js");
    return readRecords(this, places);
  }

  /** Reads arrays that have begun, each as a whole. Leaves out names that are not names of arrays. */
  async arrays(names: readonly string[]): Promise<ArrayRecord[]> {
    const { readArrayRecords } = await import("../report/array-record.js");
    return readArrayRecords(this, names);
  }

  /** Reads the attempts of jobs from the ledgers; of all jobs by default. */
  async history(jobs?: ReadonlySet<string>): Promise<JobHistory> {
    const { readHistory } = await import("../ledger/attempts.js");
    return readHistory(this, jobs && ((job) => jobs.has(job)));
  }

  /** Reads the parameters and results of jobs that have ended. */
  async results(selection: readonly string[] = []): Promise<ResultRow[]> {
    const { readResults } = await import("../report/results.js");
    return readResults(this, await this.jobs(selection));
  }

  /**
   * Explains why jobs are in their states, and what users can do about it.
   *
   * @param options `named`: the text after `--project` in the commands of the explanations
   */
  async explain(
    jobs: readonly JobPlace[],
    options: { readonly named?: string | undefined } = {},
  ): Promise<Explanation[]> {
    const { explainJobs } = await import("../explain/explain-jobs.js");
    return explainJobs(this, jobs, options.named);
  }

  /** Cancels waiting and running jobs. The whole process group of a running job is stopped. */
  async cancel(jobs: readonly JobPlace[], options: CancelOptions = {}): Promise<CancelledOrHeld[]> {
    const { cancelJobs } = await import("../jobs/cancel.js");
    return cancelJobs(this, jobs, options);
  }

  /** Holds waiting jobs, so that they do not run until they are released. */
  async hold(jobs: readonly JobPlace[], options: CancelOptions = {}): Promise<CancelledOrHeld[]> {
    const { holdJobs } = await import("../jobs/cancel.js");
    return holdJobs(this, jobs, options);
  }

  /** Puts held jobs back into the queue. */
  async release(jobs: readonly JobPlace[], options: { readonly dryRun?: boolean } = {}): Promise<Released[]> {
    const { release } = await import("../jobs/release.js");
    return release(this, jobs, options.dryRun ?? false);
  }

  /** Puts failed and cancelled jobs back into the queue. Their attempts are counted from 0. */
  async retry(jobs: readonly JobPlace[], options: { readonly dryRun?: boolean } = {}): Promise<Retried[]> {
    const { retry } = await import("../jobs/retry.js");
    return retry(this, jobs, options.dryRun ?? false);
  }

  /**
   * Changes the file of a job that waits or is held. The job is held while it is edited, and put back afterwards. If the new text
   * is not a valid job, `edit` is called again. If `edit` then returns undefined, the old text stays.
   */
  async edit(job: JobPlace, edit: Editor, options: EditOptions = {}): Promise<Edited> {
    const { editJob } = await import("../jobs/edit.js");
    return editJob(this, job, edit, options);
  }

  /** Removes jobs that have ended, with their logs, results and checkpoints. The ledgers stay. */
  async clean(jobs: readonly JobPlace[], options: CleanOptions): Promise<Cleaned> {
    const { clean } = await import("../jobs/clean.js");
    return clean(this, jobs, options);
  }

  /** Waits until jobs have ended; by default until no job waits or runs. */
  async wait(jobs?: readonly string[], options: WaitOptions = {}): Promise<WaitResult> {
    const { wait } = await import("../jobs/wait.js");
    return wait(this, jobs, options);
  }
}
