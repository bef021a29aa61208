import path from "node:path";
import { FjordError } from "../job/error.js";
import { type Halt, isTimeToHalt } from "../job/halt.js";
import { type LedgerLine, LedgerReader } from "../spool/ledger.js";
import type { DispatchEvent, DispatchResult } from "./dispatch.js";
import type { Draft } from "./draft.js";
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

/** A job that has come to its end, by its last attempt. */
export interface EndedJob {
  readonly job: string;
  readonly attempt: number;
  readonly state: "done" | "failed" | "cancelled";
  /** What it printed: absolute path. */
  readonly log: string;
}

export interface RunResult extends DispatchResult {
  /** Whether `halt` has stopped it early. */
  readonly halted: boolean;
}

/** Between two looks at what has ended, ms. */
const LOOKS_APART = 50;

/**
 * One shot: hires workers here, runs these jobs and nothing else, and fires the workers. The project has to be one that
 * nobody uses.
 *
 * @throws FjordError `bad-project` when somebody works in the project or jobs wait there
 */
export async function runAll(
  project: Project,
  drafts: readonly Draft[],
  options: RunOptions,
): Promise<RunResult> {
  await refuseInUse(project);
  await project.submitDrafts(drafts);
  const ended = new EndedJobs(project, options.onEnd);
  const stop = new AbortController();
  let halted = false;
  let halting: Promise<unknown> = Promise.resolve();
  const cancelAll = async (when: Halt["when"]) => {
    const states = ["waiting", "retrying", ...(when === "now" ? (["running"] as const) : [])] as const;
    await project.cancel(await project.jobs([], new Set(states)));
  };
  const onAbort = () => {
    halting = cancelAll("now").finally(() => stop.abort());
  };
  options.signal?.addEventListener("abort", onAbort, { once: true });
  const looks = setInterval(() => {
    void ended.look().catch(() => undefined); // the next look finds it
    if (halted || options.halt === undefined) return;
    if (!isTimeToHalt(options.halt, ended.failed, drafts.length)) return;
    halted = true;
    halting = cancelAll(options.halt.when);
  }, LOOKS_APART);
  try {
    await project.hire(Math.min(options.workers, drafts.length));
    if (options.signal?.aborted) onAbort();
    const { onEvent } = options;
    const result = await project.dispatch({ signal: stop.signal, ...(onEvent !== undefined && { onEvent }) });
    await halting;
    return { ...result, halted };
  } finally {
    clearInterval(looks);
    options.signal?.removeEventListener("abort", onAbort);
    await halting.catch(() => undefined);
    await project.fire({ now: true, untilGone: true });
    await ended.look(); // one that has begun before the end,
    await ended.look(); // and one that has begun after it
  }
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

/** Hears of outcomes from the ledgers as they grow. */
class EndedJobs {
  readonly #project: Project;
  readonly #onEnd: RunOptions["onEnd"];
  readonly #readers = new Map<string, LedgerReader>();
  #looking: Promise<void> | undefined;
  failed = 0;

  constructor(project: Project, onEnd: RunOptions["onEnd"]) {
    this.#project = project;
    this.#onEnd = onEnd;
  }

  /** One look at a time. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    const { store, layout } = this.#project;
    for (const file of await store.list(layout.ledger)) {
      if (!file.endsWith(".jsonl")) continue;
      const reader = this.#readers.get(file) ?? new LedgerReader(path.join(layout.ledger, file));
      this.#readers.set(file, reader);
      for await (const line of reader.read()) this.#hear(line);
    }
  }

  #hear(line: LedgerLine): void {
    const state = endOf(line);
    if (state === undefined || !("attempt" in line)) return;
    if (state === "failed") this.failed++;
    const { job, attempt } = line;
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
