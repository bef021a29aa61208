import type { Turn } from "../dispatcher/job-order.js";
import { judgeRetry, type RetryVerdict } from "../dispatcher/retry-judgement.js";
import { Standings } from "../dispatcher/standing.js";
import { elementOf } from "../job/element.js";
import { directoryOf } from "../jobs/directory.js";
import { findJobs, onePlaceEach } from "../jobs/find.js";
import { arrayOfPlace, countBefore, hasNumber } from "../jobs/numbers.js";
import { isNumbers, isPending, isQueued, type JobPlace, type JobState } from "../jobs/places.js";
import { attemptsOfPlace, cancellationOf, isToldOf } from "../jobs/record.js";
import { type JobHistory, readHistory } from "../ledger/attempts.js";
import { Counts } from "../ledger/counts.js";
import { toType } from "../project/to-type.js";
import { readWorkers, type WorkerStatus } from "../report/status.js";
import { isDispatching } from "../spool/dispatcher-lock.js";
import { readEditMark } from "../spool/edit-mark.js";
import { livenessOf } from "../spool/identity.js";
import { readJobFile } from "../spool/read-job-file.js";
import { Settling } from "../spool/settling.js";
import { factsIfThere } from "../store/file-facts.js";
import type { Site } from "../store/site.js";
import { circleFrom } from "./circle.js";
import type { Dependent, JobFacts, Reason } from "./job-facts.js";
import { type JobsBefore, jobsBefore } from "./queue-order.js";
import { explain } from "./reasons.js";

/** A job, its state, and the reasons for this state. */
export interface Explanation {
  readonly job: string;
  readonly state: JobPlace["state"];
  /** The most important reason comes first. */
  readonly reasons: readonly Reason[];
}

/** Largest number of files in the queue that are read to count the jobs before a job. */
const READ_AT_MOST = 10_000;
/** Number of bytes at the end of a log in which the last line is looked for. */
const TAIL = 4096;
/** Order of states, for the state of a whole array. The array has the first of these states that any of its jobs has. */
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
 * Finds out why jobs are in their states.
 *
 * @param named name of the project for the commands in the explanations; undefined when the commands need none
 */
export async function explainJobs(
  site: Site,
  jobs: readonly JobPlace[],
  named: string | undefined,
): Promise<Explanation[]> {
  const scene = await Scene.read(site, jobs, named);
  const explained: Explanation[] = [];
  for (const place of jobs) {
    explained.push({ job: place.job, state: place.state, reasons: explain(await scene.factsOf(place)) });
  }
  return explained;
}

/** Facts that are read once for all explanations. */
interface Findings extends Site {
  readonly places: readonly JobPlace[];
  /** One place for each job. */
  readonly byName: ReadonlyMap<string, JobPlace>;
  readonly history: JobHistory;
  readonly isDispatched: boolean;
  readonly workers: readonly WorkerStatus[];
  readonly named: string | undefined;
}

/** The state of the project, from which each job is explained. */
class Scene {
  readonly #f: Findings;
  /** Jobs in the queue. */
  readonly #queue: readonly JobPlace[];
  /** Places of the jobs that have not ended, by name. */
  readonly #pending: ReadonlyMap<string, readonly JobPlace[]>;
  readonly #standings: Standings;
  readonly #counts: Counts;
  /** The counts of jobs before each job, which are read when a queued job is first explained. */
  #jobsBefore: ReadonlyMap<string, JobsBefore> | undefined;
  /** Jobs for which other jobs wait, by name, as far as they have been read. */
  readonly #dependents = new Map<string, Dependent>();
  /** The names for which a job waits, by its name, as far as they have been read. */
  readonly #after = new Map<string, readonly string[]>();

  private constructor(findings: Findings) {
    this.#f = findings;
    this.#queue = findings.places.filter((place) => isQueued(place) && place.kind === "job");
    const pending = new Map<string, JobPlace[]>();
    for (const place of findings.places.filter(isPending)) {
      const ofName = pending.get(place.job) ?? [];
      pending.set(place.job, ofName);
      ofName.push(place);
    }
    this.#pending = pending;
    this.#standings = new Standings(findings, (job) => pending.has(job));
    this.#counts = new Counts(findings);
  }

  static async read(site: Site, jobs: readonly JobPlace[], named: string | undefined): Promise<Scene> {
    const { store, settings } = site;
    // A job may have been cancelled because another job was cancelled. So the history of that job is needed, too.
    const cancelled = await findJobs(site, new Set(["cancelled"]));
    const history = await readHistory(site, isToldOf([...jobs, ...cancelled]));
    const workers = await readWorkers(site);
    const isDispatched = await isDispatching(site, settings.beat);
    const places = await findJobs(site);
    const byName = await onePlaceEach(store, places);
    return new Scene({
      store,
      layout: site.layout,
      settings,
      access: site.access,
      places,
      byName,
      history,
      isDispatched,
      workers,
      named,
    });
  }

  async factsOf(place: JobPlace): Promise<JobFacts> {
    const { job, state } = place;
    const { history, isDispatched, workers } = this.#f;
    const file = await this.#fileOf(place);
    const attempts = await attemptsOfPlace(this.#f.store, place, history);
    const last = attempts.at(-1);
    const waits = isQueued(place);
    const turn = waits && place.kind === "job" ? (await this.#order())?.get(place.file) : undefined;
    return {
      place,
      file,
      dependencies: await this.#dependenciesOf(file),
      circle: await circleFrom(job, (name) => this.#namesAfter(name)),
      isDispatched,
      workers,
      queued: this.#queue.length,
      before: attempts.length > 0 ? turn?.atMost : turn?.before,
      beforeInArray: this.#beforeInArray(place),
      namesake: waits ? this.#namesakeOf(place) : undefined,
      edit: state === "held" && place.kind === "job" ? await this.#editOf(place.file) : undefined,
      attempts,
      refusal: history.refusals.get(job)?.reason,
      cancellation: cancellationOf(place, history),
      directory: last && (await directoryOf(this.#f.store, place, last.directory)),
      retry: state === "retrying" ? await this.#retryOf(place, file) : undefined,
      lastLine: state === "failed" ? await this.#lastLineOf(last?.log) : "",
      toRetry: (name) => this.#toRetry(name),
      toType: (command) => toType(command, this.#f.named),
    };
  }

  async #dependenciesOf(file: JobFacts["file"]): Promise<JobFacts["dependencies"]> {
    const dependencies = new Map<string, Dependent>();
    for (const { job } of file.kind === "valid" ? file.after : []) {
      dependencies.set(job, await this.#dependent(job));
    }
    return dependencies;
  }

  /** Reads each job only once, because many jobs may wait for one array, and reading the standing of an array takes long. */
  async #dependent(job: string): Promise<Dependent> {
    const known = this.#dependents.get(job);
    if (known !== undefined) return known;
    const dependent = { standing: await this.#standings.read(job), state: this.#stateOf(job) };
    this.#dependents.set(job, dependent);
    return dependent;
  }

  /** The dispatcher's decision about a job on the retry desk. */
  async #retryOf({ job, path }: JobPlace, file: JobFacts["file"]): Promise<RetryVerdict | undefined> {
    const facts = await factsIfThere(this.#f.store, path);
    if (facts === undefined) return undefined;
    const { failed, requeued } = await this.#counts.attemptsOf(job, facts);
    const retries = file.kind === "valid" ? file.retries : 0;
    return judgeRetry({ failed, requeued, retries }, this.#f.settings.retryBackoff);
  }

  async #editOf(file: string): Promise<JobFacts["edit"]> {
    const mark = await readEditMark(this.#f, file);
    return mark && { ...mark, holder: livenessOf(mark.process) };
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

  /** Place of a job. For an array, the place of numbers that have no job files yet. */
  #placeOf(name: string): JobPlace | undefined {
    const isOf = (place: JobPlace) => place.kind === "numbers" && place.numbers.array === name;
    return this.#f.byName.get(name) ?? this.#f.places.find(isOf);
  }

  /** State of a job, or of a whole array. */
  #stateOf(name: string): JobState | undefined {
    const job = this.#f.byName.get(name);
    if (job !== undefined) return job.state;
    const element = elementOf(name);
    const states = new Set<JobState>();
    for (const place of this.#f.places) {
      const { state } = place;
      const isOfArray = place.kind === "numbers" && element?.array === place.numbers.array;
      if (isOfArray && hasNumber(place.numbers, element.number)) return state;
      if (arrayOfPlace(place) === name) states.add(state);
    }
    return FARTHEST.find((state) => states.has(state));
  }

  /** Names for which a job or an array waits. For a job that has begun, the list is empty. */
  async #namesAfter(name: string): Promise<readonly string[]> {
    const known = this.#after.get(name);
    if (known !== undefined) return known;
    const place = this.#placeOf(name);
    const file = place === undefined ? undefined : await this.#fileOf(place);
    const names = file?.kind === "valid" ? file.after.map(({ job }) => job) : [];
    this.#after.set(name, names);
    return names;
  }

  /** Number of elements of the same array that become jobs before this element. */
  #beforeInArray(place: JobPlace): number | undefined {
    if (place.kind === "job" || place.state !== "waiting") return undefined;
    const { array, ranges } = place.numbers;
    const [first] = ranges;
    if (first === undefined) return undefined;
    return this.#f.places
      .filter(isNumbers)
      .filter(({ state, numbers }) => state === "waiting" && numbers.array === array)
      .reduce((sum, { numbers }) => sum + countBefore(numbers, first.from), 0);
  }

  async #fileOf(place: JobPlace): Promise<JobFacts["file"]> {
    const { path, file, state } = place;
    const { store, layout, settings } = this.#f;
    if (state !== "waiting" && state !== "retrying" && state !== "held") return { kind: "gone" };
    const settling = new Settling(store, layout.jobqueue, settings.settle);
    const isInArray = place.kind === "numbers";
    const seen = await readJobFile(store, path, file, isQueued(place) && !isInArray ? settling : undefined);
    if (seen.kind === "refused") return { kind: "invalid", reason: seen.reason };
    return seen.kind === "valid"
      ? { kind: "valid", after: seen.job.after, retries: seen.job.retries }
      : { kind: seen.kind };
  }

  #namesakeOf({ job, path }: JobPlace): JobPlace["state"] | undefined {
    return this.#pending.get(job)?.find((other) => other.path !== path)?.state;
  }

  /** Counts the jobs before each job in the queue; undefined when the queue is too long to be read. */
  async #order(): Promise<ReadonlyMap<string, JobsBefore> | undefined> {
    if (this.#jobsBefore !== undefined) return this.#jobsBefore;
    if (this.#queue.length > READ_AT_MOST) return undefined;
    const waiting: Turn[] = [];
    for (const { file, path } of this.#queue) {
      const seen = await readJobFile(this.#f.store, path, file);
      if (seen.kind === "valid" && seen.job.after.length === 0) {
        waiting.push({ file, priority: seen.job.priority, mtimeMs: seen.mtimeMs });
      }
    }
    this.#jobsBefore = jobsBefore(waiting);
    return this.#jobsBefore;
  }

  async #lastLineOf(log: string | undefined): Promise<string> {
    if (log === undefined) return "";
    const text = await this.#f.store.tail(log, TAIL).catch(() => "");
    return text.trimEnd().split("\n").at(-1) ?? "";
  }
}
