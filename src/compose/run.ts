import { FjordError } from "../job/error.js";
import { type Halt, isTimeToHalt } from "../job/halt.js";
import type { JobRecord } from "../report/record.js";
import type { DispatchEvent, DispatchResult } from "./dispatch.js";
import type { Draft } from "./draft.js";
import { type EndedJob, EndedJobs } from "./ended-jobs.js";
import type { Project } from "./project.js";

export interface RunOptions {
  /** How many workers. */
  readonly workers: number;
  readonly halt?: Halt | undefined;
  /** Told of each job that was begun, when it has come to its end. */
  readonly onEnd?: (ended: EndedJob) => void;
  readonly onEvent?: (event: DispatchEvent) => void;
  /** Stop what runs and come back. */
  readonly signal?: AbortSignal;
}

export interface RunResult extends DispatchResult {
  /** Whether `halt` has stopped it early. */
  readonly halted: boolean;
  /** All that is known of these jobs, in the order in which they were given; attempts of this run only. */
  records(): Promise<JobRecord[]>;
}

/** Between two looks at what has ended, ms. */
const LOOKS_APART = 50;

/**
 * One shot: hires workers here, runs these jobs and nothing else, and fires the workers. The project has to be one that
 * nobody uses, and none of the drafts an array. A worker that is lost is replaced.
 *
 * @throws FjordError `bad-project` when somebody works in the project or jobs wait there; `hire-failed`
 */
export async function runAll(
  project: Project,
  drafts: readonly Draft[],
  options: RunOptions,
): Promise<RunResult> {
  const { halt, signal } = options;
  await refuseInUse(project);
  const ended = await EndedJobs.from(project, options.onEnd);
  await project.submitDrafts(drafts);
  const stop = new AbortController();
  const crew = new Crew(project, Math.min(options.workers, drafts.length), () => stop.abort());
  let halted = false;
  const look = async () => {
    await ended.look();
    if (signal?.aborted) await cancelAll(project, "now").finally(() => stop.abort());
    else if (halted) await cancelAll(project, halt?.when ?? "soon"); // each time: what failed may be tried again
  };
  let looking: Promise<void> | undefined;
  const looks = setInterval(() => {
    looking ??= look()
      .catch(() => undefined) // the next look finds it
      .finally(() => {
        looking = undefined;
      });
  }, LOOKS_APART);
  try {
    await crew.hire();
    const result = await project.dispatch({
      signal: stop.signal,
      ...(halt !== undefined && {
        isHalted: ({ failed }) => {
          halted ||= isTimeToHalt(halt, failed, drafts.length);
          return halted;
        },
      }),
      onEvent: (event) => {
        if (event.kind === "progress" && !halted && !signal?.aborted) crew.fill(event.progress);
        options.onEvent?.(event);
      },
    });
    if (crew.failure !== undefined) throw crew.failure;
    return { ...result, halted, records: () => ended.recordsOf(drafts) };
  } finally {
    clearInterval(looks);
    await looking;
    await crew.fire();
    await ended.look();
  }
}

async function cancelAll(project: Project, when: Halt["when"]): Promise<void> {
  const states = ["waiting", "retrying", ...(when === "now" ? (["running"] as const) : [])] as const;
  const places = await project.jobs([], new Set(states));
  if (places.length > 0) await project.cancel(places);
}

async function refuseInUse(project: Project): Promise<void> {
  const { workers, dispatcher, waiting, running, held } = await project.status();
  const jobs = waiting + running + held;
  if (workers.length === 0 && dispatcher === undefined && jobs === 0) return;
  const who = [
    ...(jobs > 0 ? [`${jobs} jobs`] : []),
    ...(workers.length > 0 ? [`${workers.length} workers`] : []),
    ...(dispatcher === undefined ? [] : ["a dispatcher"]),
  ];
  throw new FjordError(
    "bad-project",
    `${project.directory} is in use: ${who.join(", ")}.`,
    "fjord run brings its own workers: leave --project out, or name a directory that nobody uses.",
  );
}

/** The workers of a run. */
class Crew {
  readonly #project: Project;
  readonly #size: number;
  readonly #onFailure: () => void;
  #hiring: Promise<void> | undefined;
  /** Why a lost worker could not be replaced. */
  failure: unknown;

  constructor(project: Project, size: number, onFailure: () => void) {
    this.#project = project;
    this.#size = size;
    this.#onFailure = onFailure;
  }

  async hire(): Promise<void> {
    await this.#project.hire(this.#size);
  }

  /** Replaces those that were lost, or left as there was nothing to do for long. */
  fill(progress: { waiting: number; running: number; workers: number }): void {
    const wanted = Math.min(this.#size, progress.waiting + progress.running);
    if (progress.workers >= wanted || this.#hiring !== undefined) return;
    this.#hiring = this.#fill(wanted)
      .catch((error) => {
        this.failure ??= error;
        this.#onFailure();
      })
      .finally(() => {
        this.#hiring = undefined;
      });
  }

  async #fill(wanted: number): Promise<void> {
    const missing = wanted - (await this.#project.workers()).length; // the dispatcher may not have seen the latest
    if (missing > 0) await this.#project.hire(missing);
  }

  async fire(): Promise<void> {
    await this.#hiring;
    await this.#project.fire({ now: true, untilGone: true });
  }
}
