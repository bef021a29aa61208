import { backoffAfter } from "../job/backoff.js";
import type { Layout } from "../project/layout.js";
import type { Settings } from "../project/settings.js";
import { type AttemptRecord, readHistory } from "../report/attempts.js";
import { directoryOf } from "../report/directory.js";
import { explain, type JobFacts, type Reason } from "../report/explain.js";
import { findJobs, type JobPlace, onePlaceEach } from "../report/jobs.js";
import {
  type Announcement,
  listAnnounced,
  livenessOfWorker,
  readAnnouncement,
} from "../spool/announcement.js";
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

/** Finds out why jobs are where they are. */
export async function explainJobs(
  store: Store,
  layout: Layout,
  settings: Settings,
  jobs: readonly JobPlace[],
): Promise<Explanation[]> {
  const scene = await Scene.read(store, layout, settings, jobs);
  const explained: Explanation[] = [];
  for (const place of jobs) {
    explained.push({ job: place.job, state: place.state, reasons: explain(await scene.factsOf(place)) });
  }
  return explained;
}

/** What all explanations have in common. */
class Scene {
  readonly #store: Store;
  readonly #layout: Layout;
  readonly #settings: Settings;
  readonly #places: readonly JobPlace[];
  readonly #byName: ReadonlyMap<string, JobPlace>;
  readonly #history: Awaited<ReturnType<typeof readHistory>>;
  readonly #isDispatched: boolean;
  readonly #workers: readonly Announcement[];
  readonly #dead: ReadonlySet<string>;
  /** Places in the order of handing out, by file; read when first asked for. */
  #turns: ReadonlyMap<string, number> | undefined;

  private constructor(
    store: Store,
    layout: Layout,
    settings: Settings,
    places: readonly JobPlace[],
    byName: ReadonlyMap<string, JobPlace>,
    history: Awaited<ReturnType<typeof readHistory>>,
    isDispatched: boolean,
    workers: readonly Announcement[],
    dead: ReadonlySet<string>,
  ) {
    this.#store = store;
    this.#layout = layout;
    this.#settings = settings;
    this.#places = places;
    this.#byName = byName;
    this.#history = history;
    this.#isDispatched = isDispatched;
    this.#workers = workers;
    this.#dead = dead;
  }

  static async read(
    store: Store,
    layout: Layout,
    settings: Settings,
    jobs: readonly JobPlace[],
  ): Promise<Scene> {
    const names = new Set(jobs.map(({ job }) => job));
    const history = await readHistory(store, layout, (job) => names.has(job));
    const workers: Announcement[] = [];
    const dead = new Set<string>();
    for (const worker of await listAnnounced(store, layout)) {
      const announcement = await readAnnouncement(store, layout, worker);
      if (announcement === undefined) continue;
      workers.push(announcement);
      if ((await livenessOfWorker(store, layout, announcement)) === "dead") dead.add(worker);
    }
    const isDispatched = await isSeatHeld(store, layout, settings.beat);
    const places = await findJobs(store, layout);
    return new Scene(
      store,
      layout,
      settings,
      places,
      await onePlaceEach(store, places),
      history,
      isDispatched,
      workers,
      dead,
    );
  }

  async factsOf(place: JobPlace): Promise<JobFacts> {
    const { job, state } = place;
    const file = await this.#fileOf(place);
    const after = file.kind === "valid" ? file.after : [];
    const attempts = this.#history.attempts.get(job) ?? [];
    const isQueued = state === "waiting" && place.worker === undefined;
    return {
      place,
      file,
      dependencies: new Map(after.map((one) => [one.job, this.#byName.get(one.job)?.state])),
      isDispatched: this.#isDispatched,
      workers: this.#workers,
      deadWorkers: this.#dead,
      queued: this.#queue.length,
      before: isQueued ? (await this.#order())?.get(place.file) : undefined,
      namesake: isQueued ? this.#namesakeOf(place) : undefined,
      attempts,
      refusal: this.#history.refusals.get(job)?.reason,
      cancellation: this.#history.cancellations.get(job),
      directory: await this.#directoryOf(place, attempts.at(-1)),
      backoff: backoffAfter(this.#failuresOf(job), this.#settings.retryBackoff),
      lastLine: state === "failed" ? await this.#lastLineOf(attempts.at(-1)?.log) : "",
    };
  }

  get #queue(): JobPlace[] {
    return this.#places.filter(({ state, worker }) => state === "waiting" && worker === undefined);
  }

  async #fileOf({ path, file, state, worker }: JobPlace): Promise<JobFacts["file"]> {
    if (state !== "waiting" && state !== "retrying" && state !== "held") return { kind: "gone" };
    const isQueued = state === "waiting" && worker === undefined;
    const settling = new Settling(this.#store, this.#layout.jobqueue, this.#settings.settle);
    const seen = await look(this.#store, path, file, isQueued ? settling : undefined);
    if (seen.kind === "refused") return { kind: "invalid", reason: seen.reason };
    return seen.kind === "valid"
      ? { kind: "valid", after: seen.job.after, retries: seen.job.retries }
      : { kind: seen.kind };
  }

  /** Where its last attempt ran, or runs. */
  async #directoryOf(place: JobPlace, last: AttemptRecord | undefined): Promise<string | undefined> {
    return last === undefined ? undefined : directoryOf(this.#store, place, last.directory);
  }

  /** Failed since it was last put into the queue: what failed in a row up to now. */
  #failuresOf(job: string): number {
    const attempts = this.#history.attempts.get(job) ?? [];
    const lastEnd = attempts.findLastIndex(
      ({ to }) => to !== undefined && to !== "retry" && to !== "jobqueue",
    );
    return attempts.slice(lastEnd + 1).filter(({ to }) => to === "retry").length;
  }

  #namesakeOf({ job, path }: JobPlace): JobPlace["state"] | undefined {
    const others = this.#places.filter((one) => one.job === job && one.path !== path);
    return others.find(({ state }) => state === "running" || state === "retrying" || state === "waiting")
      ?.state;
  }

  /** How many are handed out before each job of the queue; undefined when there are too many to read. */
  async #order(): Promise<ReadonlyMap<string, number> | undefined> {
    if (this.#turns !== undefined) return this.#turns;
    const queue = this.#queue;
    if (queue.length > READ_AT_MOST) return undefined;
    const waiting: { file: string; priority: number; mtimeMs: number }[] = [];
    for (const { file, path } of queue) {
      const seen = await look(this.#store, path, file);
      if (seen.kind === "valid" && seen.job.after.length === 0) {
        waiting.push({ file, priority: seen.job.priority, mtimeMs: seen.mtimeMs });
      }
    }
    waiting.sort((a, b) => b.priority - a.priority || a.mtimeMs - b.mtimeMs || (a.file < b.file ? -1 : 1));
    this.#turns = new Map(waiting.map(({ file }, index) => [file, index]));
    return this.#turns;
  }

  async #lastLineOf(log: string | undefined): Promise<string> {
    if (log === undefined) return "";
    const text = await this.#store.tail(log, TAIL).catch(() => "");
    return text.trimEnd().split("\n").at(-1) ?? "";
  }
}
