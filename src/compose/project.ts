import path from "node:path";
import { FjordError } from "../job/error.js";
import type { Access } from "../project/access.js";
import { Layout } from "../project/layout.js";
import { isProject, locateProject, noSuchProject } from "../project/locate.js";
import { makeProject } from "../project/make-project.js";
import { PACKAGE_ROOT } from "../project/package-root.js";
import { readSettingsFile } from "../project/read-settings-file.js";
import { defaultSettings, type Settings } from "../project/settings.js";
import type { Fired } from "../recruiter/fire.js";
import type { Hired } from "../recruiter/hire.js";
import type { LauncherName } from "../recruiter/launcher.js";
import type { JobHistory } from "../report/attempts.js";
import type { JobPlace, JobState } from "../report/jobs.js";
import type { JobRecord } from "../report/record.js";
import type { ResultRow } from "../report/results.js";
import { readStatus, readWorkers, type Status, type WorkerStatus } from "../report/status.js";
import { messageOf } from "../spool/errno.js";
import { newActorId } from "../spool/identity.js";
import type { Ledger, LedgerLine } from "../spool/ledger.js";
import { openStore } from "../spool/open-store.js";
import type { Reclaimer } from "../spool/reclaim.js";
import type { Store } from "../spool/store.js";
import type { ArrayRecord } from "./array-record.js";
import type { Cleaned, CleanOptions } from "./clean.js";
import type { DispatchOptions, DispatchResult } from "./dispatch.js";
import type { Draft } from "./draft.js";
import type { Edited, Editor } from "./edit.js";
import { type EventOptions, events } from "./events.js";
import type { Explanation } from "./explain.js";
import type { Released } from "./release.js";
import type { Retried } from "./retry.js";
import type { SubmissionOptions } from "./submission.js";
import type { SubmittedJob } from "./submitted.js";
import type { WaitOptions, WaitResult } from "./wait.js";
import type { Wanted } from "./wanted.js";
import type { Withdrawn, WithdrawOptions } from "./withdraw.js";

export interface OpenOptions {
  /** Whether to make the project if there is none yet; yes if not said. */
  readonly create?: boolean;
  /** The group that a new project is to be for: its members may submit jobs, hire and dispatch. Nobody else if not said. */
  readonly shared?: string;
}

export interface HireOptions {
  /** How the workers are started; `detached` if not said. */
  readonly via?: LauncherName;
  /** The workers' working directory; this process's if not said. */
  readonly directory?: string;
  /** Environment of workers and jobs; this process's if not said. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Seconds that they may take to come on duty; 60 if not said. */
  readonly patience?: number;
}

export interface FireOptions {
  /** Worker ids; all of the project's if not said. */
  readonly workers?: readonly string[];
  /** Stop their jobs too: they go back to the queue. */
  readonly now?: boolean;
  /** Wait until all are gone, however long their jobs take. */
  readonly untilGone?: boolean;
  /** Seconds to wait for their answer; a few if not said. */
  readonly patience?: number;
}

/**
 * A project: what the four commands do, for programs. Every method works on the directory alone, so any number of
 * processes and hosts may hold the same project.
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
export class Project {
  readonly layout: Layout;
  readonly store: Store;
  readonly settings: Settings;
  /** Who may get at what lies in it. */
  readonly access: Access;
  /** Whether `settings.ini` says whose jobs are run. */
  readonly hasJobOwners: boolean;

  private constructor(
    layout: Layout,
    store: Store,
    access: Access,
    settings: Settings,
    hasJobOwners: boolean,
  ) {
    this.layout = layout;
    this.store = store;
    this.settings = settings;
    this.access = access;
    this.hasJobOwners = hasJobOwners;
  }

  /**
   * Opens a project, and makes its directories if there are none yet, unless that is not wanted: for its user alone, or for
   * a group.
   *
   * @param project a name below `$FJORD_HOME` (`~/.fjord`), or a path with a `/` in it; `$FJORD_PROJECT`, else
   * `default`, if not said
   * @throws FjordError `bad-project` when there can be none, `no-such-project` when there is none and it is not to be
   * made, `bad-settings`
   */
  static async open(
    project?: string,
    env: NodeJS.ProcessEnv = process.env,
    options: OpenOptions = {},
  ): Promise<Project> {
    const cwd = process.cwd();
    const layout = new Layout(locateProject(project, env, cwd));
    if (options.create === false && !isProject(layout)) throw noSuchProject(project, layout.root, env, cwd);
    let said: Partial<Settings>;
    let access: Access;
    try {
      access = makeProject(layout, options.shared);
      said = readSettingsFile(layout, access);
    } catch (error) {
      if (error instanceof FjordError) throw error;
      throw new FjordError(
        "bad-project",
        `${layout.root} cannot be a project: ${messageOf(error)}.`,
        "Name a directory that this user can write, with --project or FJORD_PROJECT.",
        { cause: error },
      );
    }
    const store = openStore(layout.root, said.store ?? "auto", access);
    const jobOwners = access === "shared" ? "group" : "own";
    const settings = { ...defaultSettings(store.kind), jobOwners, ...said };
    return new Project(layout, store, access, settings, said.jobOwners !== undefined);
  }

  /** Absolute path of the project's directory. */
  get directory(): string {
    return this.layout.root;
  }

  /**
   * S1: puts a job file into the queue. Once this returns, the job is accepted. Its text is not checked: what is no valid
   * job will be refused by the dispatcher.
   *
   * @throws FjordError `job-refused` for a name that cannot be a job's or waits already
   */
  submit(file: string, text: string): Promise<SubmittedJob>;
  /**
   * Puts one job of a command or job file into the queue, checked; for many at once: `draft` and `submitDrafts`.
   *
   * @throws FjordError `bad-usage`, `job-refused`
   */
  submit(wanted: Wanted): Promise<SubmittedJob>;
  async submit(wanted: string | Wanted, text = ""): Promise<SubmittedJob> {
    const { SubmittedJob } = await import("./submitted.js");
    if (typeof wanted === "string") {
      const { submit } = await import("../spool/submit.js");
      await submit(this.store, this.layout, wanted, text, this.settings.flush);
      return new SubmittedJob(this, wanted);
    }
    const [draft, ...more] = await this.draft(wanted);
    if (draft === undefined || more.length > 0) {
      throw new FjordError("bad-usage", `These are ${more.length + 1} jobs.`, "Use draft and submitDrafts.");
    }
    if (draft.array !== undefined) {
      throw new FjordError(
        "bad-usage",
        `${draft.file} is ${draft.array.size} jobs.`,
        "Use draft and submitDrafts.",
      );
    }
    await this.submitDrafts([draft]);
    return new SubmittedJob(this, draft.file);
  }

  /** What happens, as it happens: the ledgers' lines, from this call on. */
  events(options: EventOptions = {}): AsyncGenerator<LedgerLine, void, void> {
    return events(this.store, this.layout, options);
  }

  /**
   * Starts workers that outlive this process; comes back when they are on duty.
   *
   * @throws FjordError `hire-failed`, `launcher-missing`
   */
  async hire(count: number, options: HireOptions = {}): Promise<Hired[]> {
    const { hire } = await import("../recruiter/hire.js");
    return hire(this.store, this.layout, {
      count,
      via: options.via ?? "detached",
      program: [process.execPath, path.join(PACKAGE_ROOT, "bin", "hired-worker.js")],
      directory: options.directory ?? process.cwd(),
      environment: options.environment ?? process.env,
      patience: options.patience ?? 60,
    });
  }

  /**
   * Fires workers, on whatever host: they finish their jobs and go.
   *
   * @throws FjordError `no-such-worker`
   */
  async fire(options: FireOptions = {}): Promise<Fired[]> {
    const { fire } = await import("../recruiter/fire.js");
    const reclaimer = await this.#reclaimer();
    try {
      return await fire(reclaimer, {
        workers: options.workers ?? [],
        now: options.now ?? false,
        patience:
          options.patience ?? Math.max(5, this.settings.poll * 2) + (options.now ? this.settings.grace : 0),
        untilGone: options.untilGone ?? false,
      });
    } finally {
      await reclaimer.close();
    }
  }

  /** Who is on duty, and what everybody does. */
  workers(): Promise<readonly WorkerStatus[]> {
    return readWorkers(this.store, this.layout);
  }

  status(): Promise<Status> {
    return readStatus(this.store, this.layout, this.settings.beat);
  }

  /**
   * The jobs that a selection names, each once: names, patterns (`run*`) and ranges (`run{1..50}`); all jobs if none is
   * given.
   *
   * @throws FjordError `no-such-job`
   */
  async jobs(selection: readonly string[] = [], states?: ReadonlySet<JobState>): Promise<JobPlace[]> {
    const { chooseJobs } = await import("./choose.js");
    try {
      return await chooseJobs(this.store, this.layout, selection, states);
    } catch (error) {
      const { hintAtArray } = await import("./beyond-array.js");
      throw await hintAtArray(this.store, this.layout, selection, error);
    }
  }

  /**
   * The same, with all that the ledgers tell of them.
   *
   * @throws FjordError `no-such-job`
   */
  async records(selection: readonly string[] = []): Promise<JobRecord[]> {
    const places = await this.jobs(selection);
    const [{ isToldOf, recordOf }, { readHistory }] = await Promise.all([
      import("../report/record.js"),
      import("../report/attempts.js"),
    ]);
    const history = await readHistory(this.store, this.layout, isToldOf(places));
    return places.map((place) => recordOf(place, history));
  }

  /** Arrays that have begun, each as one, by their names; names of anything else are passed over. */
  async arrays(names: readonly string[]): Promise<ArrayRecord[]> {
    const { readArrayRecords } = await import("./array-record.js");
    return readArrayRecords(this.store, this.layout, names);
  }

  /** What the ledgers tell of jobs' attempts; of all jobs if none are named. */
  async history(jobs?: ReadonlySet<string>): Promise<JobHistory> {
    const { readHistory } = await import("../report/attempts.js");
    return readHistory(this.store, this.layout, jobs && ((job) => jobs.has(job)));
  }

  /** What went into the jobs that have ended, and what came out; of those of a selection, as `jobs` takes it. */
  async results(selection: readonly string[] = []): Promise<ResultRow[]> {
    const { readResults } = await import("../report/results.js");
    return readResults(this.store, this.layout, await this.jobs(selection));
  }

  /**
   * Drafts of the jobs that are wanted, of a command or of job files, checked, for `submitDrafts`.
   *
   * @throws FjordError `bad-usage`, `job-refused`
   */
  async draft(wanted: Wanted): Promise<Draft[]> {
    const { draftsOf } = await import("./wanted.js");
    return draftsOf(wanted);
  }

  /**
   * Puts drafts into the queue (S1), all or, when one of their names waits or runs already, none; with `replace` they
   * take those jobs' places.
   *
   * @returns the names of jobs that lie on a worker's desk already and could not be replaced: the new ones run after them
   * @throws FjordError `job-refused`
   */
  async submitDrafts(drafts: readonly Draft[], options: SubmissionOptions = {}): Promise<string[]> {
    const { submitDrafts } = await import("./submission.js");
    const { flush } = this.settings;
    return submitDrafts(this.store, this.layout, drafts, { ...options, flush });
  }

  /** Puts jobs that failed or were cancelled back into the queue; their attempts are counted anew. */
  async retry(jobs: readonly JobPlace[], options: { readonly dryRun?: boolean } = {}): Promise<Retried[]> {
    const { retry } = await import("./retry.js");
    return retry(this.store, this.layout, jobs, options.dryRun ?? false);
  }

  /**
   * Why jobs are where they are, and what to do about it.
   *
   * @param options `named`: what the commands that it names are to say after `--project`
   */
  async explain(
    jobs: readonly JobPlace[],
    options: { readonly named?: string | undefined } = {},
  ): Promise<Explanation[]> {
    const { explainJobs } = await import("./explain.js");
    return explainJobs(this.store, this.layout, this.settings, jobs, options.named);
  }

  /** Cancels jobs that wait or run; of one that runs, the whole process group is stopped. */
  async cancel(jobs: readonly JobPlace[], options: WithdrawOptions = {}): Promise<Withdrawn[]> {
    const { takeOut } = await import("./withdraw.js");
    return takeOut(this.store, this.layout, "cancel", jobs, { ...options, flush: this.settings.flush });
  }

  /** Keeps jobs that wait from being run until they are released. */
  async hold(jobs: readonly JobPlace[], options: WithdrawOptions = {}): Promise<Withdrawn[]> {
    const { takeOut } = await import("./withdraw.js");
    return takeOut(this.store, this.layout, "hold", jobs, { ...options, flush: this.settings.flush });
  }

  /** Removes jobs that have ended, with their logs, results and checkpoints; the ledgers stay. */
  async clean(jobs: readonly JobPlace[], options: CleanOptions): Promise<Cleaned> {
    const { clean } = await import("./clean.js");
    return clean(this.store, this.layout, jobs, options);
  }

  /**
   * Changes the file of a job that waits or is held: it is held while it is edited, and put back when the new text is a
   * job's. What is no job is asked of `edit` again; when that gives nothing, all is as it was.
   *
   * @param edit gives the new text; undefined: leave it. `problem`: what is wrong with the last one
   */
  async edit(job: JobPlace, edit: Editor): Promise<Edited> {
    const { editJob } = await import("./edit.js");
    return editJob(this, job, edit);
  }

  /** Puts held jobs back into the queue. */
  async release(jobs: readonly JobPlace[], options: { readonly dryRun?: boolean } = {}): Promise<Released[]> {
    const { release } = await import("./release.js");
    return release(this.store, this.layout, jobs, options.dryRun ?? false);
  }

  /** Waits until jobs have ended; until nothing waits or runs if none are named. */
  async wait(jobs?: readonly string[], options: WaitOptions = {}): Promise<WaitResult> {
    const { wait } = await import("./wait.js");
    return wait(this.store, this.layout, jobs, options);
  }

  /** Takes the seat (or stands by for it), hands out, and comes back when all jobs have ended. */
  async dispatch(options: DispatchOptions = {}): Promise<DispatchResult> {
    const { dispatch } = await import("./dispatch.js");
    return dispatch(this.store, this.layout, this.settings, options);
  }

  /** A recruiter's ledger is only made when it has something to tell. */
  async #reclaimer(): Promise<Reclaimer & { close(): Promise<void> }> {
    const { store, layout } = this;
    const [{ History }, { Ledger }] = await Promise.all([
      import("../spool/history.js"),
      import("../spool/ledger.js"),
    ]);
    let opened: Promise<Ledger> | undefined;
    const ledger: Pick<Ledger, "append"> = {
      append: async (event) => {
        opened ??= Ledger.open(store, layout.ledgerOf(newActorId("r")), this.settings.flush);
        await (await opened).append(event);
      },
    };
    return {
      store,
      layout,
      ledger,
      history: new History(store, layout),
      lostLimit: this.settings.lostLimit,
      close: async () => (await opened)?.close(),
    };
  }
}
