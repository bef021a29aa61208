import { backoffAfter } from "../job/backoff.js";
import { elementOf } from "../job/element.js";
import type { Layout } from "../project/layout.js";
import type { Settings } from "../project/settings.js";
import { toType } from "../project/to-type.js";
import { arrayOfPlace, countBefore, hasNumber } from "../report/arrays.js";
import { type AttemptRecord, type JobHistory, readHistory } from "../report/attempts.js";
import { directoryOf } from "../report/directory.js";
import { explain, type JobFacts, type Reason } from "../report/explain.js";
import { findJobs, isPending, type JobPlace, type JobState, onePlaceEach } from "../report/jobs.js";
import { cancellationOf, isToldOf } from "../report/record.js";
import { readWorkers, type WorkerStatus } from "../report/status.js";
import { look } from "../spool/intake.js";
import { isSeatHeld } from "../spool/seat.js";
import { Settling } from "../spool/settling.js";
import type { Store } from "../spool/store.js";

/** A job, and why it is where it is. */
export interface Explanation {
  readonly job: string;
  readonly state: JobPlace["state"];
  /** The weightiest first. */
  readonly reasons: readonly Reason[];
}

/** So many files of the queue are read at most, to find out how many are before a job. */
const READ_AT_MOST = 10_000;
const TAIL = 4096;
/** In the order in which one of them is the state of a whole array. */
const FARTHEST: readonly JobState[] = [
  "waiting",
  "running",
  "retrying",
  "held",
  "failed",
  "cancelled",
  "done",
];

/**
 * Finds out why jobs are where they are.
 *
 * @param named the project as it is to be named in commands; undefined where that is not needed
 */
export async function explainJobs(
  store: Store,
  layout: Layout,
  settings: Settings,
  jobs: readonly JobPlace[],
  named: string | undefined,
): Promise<Explanation[]> {
  const scene = await Scene.read(store, layout, settings, jobs, named);
  const explained: Explanation[] = [];
  for (const place of jobs) {
    explained.push({ job: place.job, state: place.state, reasons: explain(await scene.factsOf(place)) });
  }
  return explained;
}

/** What is found out once for all explanations. */
interface Findings {
  readonly store: Store;
  readonly layout: Layout;
  readonly settings: Settings;
  readonly places: readonly JobPlace[];
  /** One place of each job. */
  readonly byName: ReadonlyMap<string, JobPlace>;
  readonly history: JobHistory;
  readonly isDispatched: boolean;
  readonly workers: readonly WorkerStatus[];
  readonly named: string | undefined;
}

/** How many jobs of the queue are handed out before one of them. */
interface Turn {
  readonly before: number;
  /** If it has come back: it lies behind those of its priority that waited by then. */
  readonly atMost: number;
}

/** What all explanations have in common. */
class Scene {
  readonly #f: Findings;
  /** What lies in the queue. */
  readonly #queue: readonly JobPlace[];
  /** All that is still to be done, by name. */
  readonly #pending: ReadonlyMap<string, readonly JobPlace[]>;
  /** Places in the order of handing out, by file; read when first asked for. */
  #turns: ReadonlyMap<string, Turn> | undefined;
  /** What jobs wait for, as far as it has been read. */
  readonly #after = new Map<string, readonly string[]>();

  private constructor(findings: Findings) {
    this.#f = findings;
    this.#queue = findings.places.filter((place) => isQueued(place) && place.numbers === undefined);
    const pending = new Map<string, JobPlace[]>();
    for (const place of findings.places.filter(isPending)) {
      const ofName = pending.get(place.job) ?? [];
      pending.set(place.job, ofName);
      ofName.push(place);
    }
    this.#pending = pending;
  }

  static async read(
    store: Store,
    layout: Layout,
    settings: Settings,
    jobs: readonly JobPlace[],
    named: string | undefined,
  ): Promise<Scene> {
    // One that was cancelled may have been for another that was.
    const cancelled = await findJobs(store, layout, new Set(["cancelled"]));
    const history = await readHistory(store, layout, isToldOf([...jobs, ...cancelled]));
    const workers = await readWorkers(store, layout);
    const isDispatched = await isSeatHeld(store, layout, settings.beat);
    const places = await findJobs(store, layout);
    const byName = await onePlaceEach(store, places);
    return new Scene({ store, layout, settings, places, byName, history, isDispatched, workers, named });
  }

  async factsOf(place: JobPlace): Promise<JobFacts> {
    const { job, state } = place;
    const { history, isDispatched, workers, settings } = this.#f;
    const file = await this.#fileOf(place);
    const after = file.kind === "valid" ? file.after : [];
    const attempts = history.attempts.get(job) ?? [];
    const last = attempts.at(-1);
    const waits = isQueued(place);
    const turn = waits && place.numbers === undefined ? (await this.#order())?.get(place.file) : undefined;
    return {
      place,
      file,
      dependencies: new Map(after.map((one) => [one.job, this.#stateOf(one.job)])),
      circle: await this.#circleOf(job),
      isDispatched,
      workers,
      queued: this.#queue.length,
      before: attempts.length > 0 ? turn?.atMost : turn?.before,
      beforeInArray: this.#beforeInArray(place),
      namesake: waits ? this.#namesakeOf(place) : undefined,
      attempts,
      refusal: history.refusals.get(job)?.reason,
      cancellation: cancellationOf(place, history),
      directory: last && (await directoryOf(this.#f.store, place, last.directory)),
      backoff: backoffAfter(failuresOf(attempts), settings.retryBackoff),
      lastLine: state === "failed" ? await this.#lastLineOf(last?.log) : "",
      toRetry: (name) => this.#toRetry(name),
      toType: (command) => toType(command, this.#f.named),
    };
  }

  #toRetry(job: string): string {
    const seen = new Set<string>();
    for (let name = job; ; ) {
      seen.add(name);
      const place = this.#placeOf(name);
      const because =
        place?.state === "cancelled" ? cancellationOf(place, this.#f.history)?.because : undefined;
      if (because === undefined || seen.has(because)) return name;
      name = because;
    }
  }

  /** Of an array, one that stands for numbers that are no jobs yet. */
  #placeOf(name: string): JobPlace | undefined {
    return this.#f.byName.get(name) ?? this.#f.places.find(({ numbers }) => numbers?.array === name);
  }

  /** Of an array, where the first of its jobs is that is farthest from its end. */
  #stateOf(name: string): JobState | undefined {
    const job = this.#f.byName.get(name);
    if (job !== undefined) return job.state;
    const element = elementOf(name);
    const states = new Set<JobState>();
    for (const place of this.#f.places) {
      const { numbers, state } = place;
      const isIn = numbers !== undefined && element?.array === numbers.array;
      if (isIn && hasNumber(numbers, element.number)) return state;
      if (arrayOfPlace(place) === name) states.add(state);
    }
    return FARTHEST.find((state) => states.has(state));
  }

  /** The shortest way from a job back to itself, from each job to one that it is to run after. */
  async #circleOf(start: string): Promise<readonly string[] | undefined> {
    /** By job: the first that was found to wait for it. */
    const waiters = new Map<string, string>();
    const found = [start];
    for (const job of found) {
      for (const next of await this.#namesAfter(job)) {
        if (waiters.has(next)) continue;
        waiters.set(next, job);
        found.push(next);
      }
      if (waiters.has(start)) break;
    }
    const circle = [start];
    for (
      let job = waiters.get(start);
      job !== undefined;
      job = job === start ? undefined : waiters.get(job)
    ) {
      circle.unshift(job);
    }
    return circle.length > 1 ? circle : undefined;
  }

  /** The jobs that one waits for, or an array; those of a job that waits no more are none. */
  async #namesAfter(name: string): Promise<readonly string[]> {
    const known = this.#after.get(name);
    if (known !== undefined) return known;
    const place = this.#placeOf(name);
    const file = place === undefined ? undefined : await this.#fileOf(place);
    const names = file?.kind === "valid" ? file.after.map(({ job }) => job) : [];
    this.#after.set(name, names);
    return names;
  }

  /** How many numbers of its array become jobs before this one. */
  #beforeInArray({ numbers, state }: JobPlace): number | undefined {
    const [first] = numbers?.ranges ?? [];
    if (numbers === undefined || first === undefined || state !== "waiting") return undefined;
    return this.#f.places
      .filter((other) => other.state === "waiting" && other.numbers?.array === numbers.array)
      .reduce((sum, other) => sum + (other.numbers ? countBefore(other.numbers, first.from) : 0), 0);
  }

  async #fileOf(place: JobPlace): Promise<JobFacts["file"]> {
    const { path, file, state } = place;
    const { store, layout, settings } = this.#f;
    if (state !== "waiting" && state !== "retrying" && state !== "held") return { kind: "gone" };
    const settling = new Settling(store, layout.jobqueue, settings.settle);
    const isInArray = place.numbers !== undefined;
    const seen = await look(store, path, file, isQueued(place) && !isInArray ? settling : undefined);
    if (seen.kind === "refused") return { kind: "invalid", reason: seen.reason };
    return seen.kind === "valid"
      ? { kind: "valid", after: seen.job.after, retries: seen.job.retries }
      : { kind: seen.kind };
  }

  #namesakeOf({ job, path }: JobPlace): JobPlace["state"] | undefined {
    return this.#pending.get(job)?.find((other) => other.path !== path)?.state;
  }

  /** How many are handed out before each job of the queue; undefined when there are too many to read. */
  async #order(): Promise<ReadonlyMap<string, Turn> | undefined> {
    if (this.#turns !== undefined) return this.#turns;
    if (this.#queue.length > READ_AT_MOST) return undefined;
    const waiting: { file: string; priority: number; mtimeMs: number }[] = [];
    for (const { file, path } of this.#queue) {
      const seen = await look(this.#f.store, path, file);
      if (seen.kind === "valid" && seen.job.after.length === 0) {
        waiting.push({ file, priority: seen.job.priority, mtimeMs: seen.mtimeMs });
      }
    }
    waiting.sort((a, b) => b.priority - a.priority || a.mtimeMs - b.mtimeMs || (a.file < b.file ? -1 : 1));
    const turns = new Map<string, Turn>();
    let last = waiting.length - 1;
    for (const [index, { file, priority }] of [...waiting.entries()].reverse()) {
      if (priority !== waiting[last]?.priority) last = index;
      turns.set(file, { before: index, atMost: last });
    }
    this.#turns = turns;
    return this.#turns;
  }

  async #lastLineOf(log: string | undefined): Promise<string> {
    if (log === undefined) return "";
    const text = await this.#f.store.tail(log, TAIL).catch(() => "");
    return text.trimEnd().split("\n").at(-1) ?? "";
  }
}

/** Whether a job lies in the queue, and on nobody's desk. */
function isQueued({ state, worker }: JobPlace): boolean {
  return state === "waiting" && worker === undefined;
}

/** Failed since it was last put into the queue: what failed in a row up to now. */
function failuresOf(attempts: readonly AttemptRecord[]): number {
  const lastEnd = attempts.findLastIndex(({ to }) => to !== undefined && to !== "retry" && to !== "jobqueue");
  return attempts.slice(lastEnd + 1).filter(({ to }) => to === "retry").length;
}
