import type { DispatchEvent, DispatchResult } from "../dispatcher/dispatch.js";
import { FjordError } from "../job/error.js";
import { type Halt, isTimeToHalt } from "../job/halt.js";
import type { JobRecord } from "../jobs/record.js";
import type { Project } from "../library/project.js";
import type { Draft } from "../submission/draft.js";
import { Crew, type CrewNews } from "./crew.js";
import { type EndedJob, EndedJobs } from "./ended-jobs.js";

export interface RunOptions {
  /** Number of workers. */
  readonly workers: number;
  readonly halt?: Halt | undefined;
  /** Called for each job that ran, when the job has ended. */
  readonly onEnd?: (ended: EndedJob) => void;
  readonly onEvent?: (event: DispatchEvent) => void;
  /** Called when lost workers cannot be replaced, and when they have been replaced. */
  readonly onCrew?: (news: CrewNews) => void;
  /** Stops all jobs and ends the run. */
  readonly signal?: AbortSignal;
}

export interface RunResult extends DispatchResult {
  /** Whether `halt` has stopped the run early. */
  readonly halted: boolean;
  /** Reads the records of the jobs of this run, in the order of the drafts. */
  records(): Promise<JobRecord[]>;
}

/** Pause between two checks for jobs that have ended, ms. */
const CHECKS_APART = 50;

/**
 * Hires workers on this host, runs these jobs, and fires the workers. The call replaces lost workers. If this fails, the other
 * workers go on. If no worker is left, the run ends, and the jobs that have not ended stay in the queue.
 *
 * @param project a project that nobody uses
 * @param drafts single jobs, without arrays
 * @throws FjordError `bad-project` if somebody works in the project or jobs wait there; `hire-failed`
 */
export async function runAll(
  project: Project,
  drafts: readonly Draft[],
  options: RunOptions,
): Promise<RunResult> {
  const { halt, signal } = options;
  await refuseInUse(project);
  const ended = new EndedJobs(project, options.onEnd);
  await project.submitDrafts(drafts);
  const stop = new AbortController();
  const crew = new Crew(project, Math.min(options.workers, drafts.length), {
    onNews: options.onCrew,
    onFailure: () => stop.abort(),
  });
  let halted = false;
  const check = async () => {
    await ended.look();
    if (signal?.aborted) await cancelAll(project, "now").finally(() => stop.abort());
    // This is done at each check, because failed jobs may be queued again.
    else if (halted) await cancelAll(project, halt?.when ?? "soon");
  };
  let checking: Promise<void> | undefined;
  const stopChecks = project.store.clock.every(CHECKS_APART, () => {
    checking ??= check()
      .catch(() => undefined) // the next check will find it
      .finally(() => {
        checking = undefined;
      });
  });
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
    stopChecks();
    await checking;
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
    "fjord run hires its own workers. Leave --project out, or name a directory that nobody uses.",
  );
}
