import { elementName, elementOf } from "../job/element.js";
import { countOf, numbersOf } from "../job/numbers.js";
import type { Layout } from "../project/layout.js";
import { hasNumber, type Numbers, nameOfNumbers, placesOf, sizeOfPlace } from "../report/arrays.js";
import { readHistory } from "../report/attempts.js";
import { ENDS, findOnDesks, type JobPlace, type JobState } from "../report/jobs.js";
import { type PartKind, readArray } from "../spool/array-parts.js";
import { leaveAsk } from "../spool/ask.js";
import { noteByHand, whoAmI } from "../spool/hand.js";
import type { Store } from "../spool/store.js";
import { withdraw } from "../spool/withdraw.js";
import { changeNumbers } from "./change-numbers.js";

/**
 * What became of the wish to cancel or to hold a job. `done`: it is. `ended`: it had, or did meanwhile. `running`: it has
 * begun, so it cannot be held. `name-taken`: another of its name is held. `gone`: it is nowhere any more. `asked`: its
 * worker has not answered yet; the note stays.
 */
export interface Withdrawn {
  readonly job: string;
  readonly end: "done" | "ended" | "running" | "name-taken" | "gone" | "asked";
  /** Where it was at first. */
  readonly state: JobState;
  /** How many jobs it stands for, as numbers of an array; 1 if not said. */
  readonly count?: number;
}

export interface WithdrawOptions {
  /** Tell only. */
  readonly dryRun?: boolean;
  /** Seconds to wait for workers. */
  readonly patience?: number;
  readonly signal?: AbortSignal;
}

interface Case extends Withdrawn {
  readonly file: string;
  /** Workers that were asked. */
  readonly asked: Set<string>;
}

const WAITING: ReadonlySet<JobState> = new Set(["waiting"]);
/** Between two looks at what workers make of it, ms. */
const LOOKS_APART = 50;

/**
 * Takes jobs out of the queue: for good (`cancel`, also those that run: their whole process group is stopped), or
 * until they are released (`hold`). On a desk it is the worker who does it, and a note asks it to.
 */
export async function takeOut(
  store: Store,
  layout: Layout,
  what: "cancel" | "hold",
  places: readonly JobPlace[],
  options: WithdrawOptions & { readonly flush: boolean },
): Promise<Withdrawn[]> {
  const wish = new Wish(store, layout, what, options.flush);
  if (options.dryRun === true) return places.map((place) => wish.foretell(place));
  await store.mkdir(layout.jobheld, true); // a project of before may not have it
  const until = store.clock.now() + (options.patience ?? 60) * 1000;
  const ends = new Map<string, Withdrawn>();
  const open = new Map<string, Case>();
  await wish.readAttempts(places);
  const single: JobPlace[] = [];
  const ofArrays: Withdrawn[] = [];
  for (const place of places) {
    if (place.numbers === undefined) single.push(place);
    else single.push(...(await wish.changeNumbers({ ...place, numbers: place.numbers }, ofArrays)));
  }
  for (const { job, file, state } of single) {
    open.set(job, { job, file, state, end: "asked", asked: new Set() });
  }
  let found = new Map(single.map((place) => [place.job, place]));
  for (;;) {
    try {
      for (const one of open.values()) {
        const end = await wish.tryOne(one, found.get(one.job));
        if (end === undefined) continue;
        ends.set(one.job, { job: one.job, state: one.state, end });
        open.delete(one.job);
      }
    } finally {
      await wish.note(); // also of those that were cancelled before the store had trouble
    }
    if (open.size === 0 || store.clock.now() > until || options.signal?.aborted === true) break;
    await store.clock.sleep(LOOKS_APART);
    found = await locate(store, layout, [...open.values()]);
  }
  for (const { job, state } of open.values()) ends.set(job, { job, state, end: "asked" });
  return [...ofArrays, ...single.map(({ job }) => ends.get(job) as Withdrawn)];
}

class Wish {
  readonly #store: Store;
  readonly #layout: Layout;
  readonly #what: "cancel" | "hold";
  readonly #flush: boolean;
  readonly #by = whoAmI();
  /** Number of the last attempt, of those that wait for their next one. */
  readonly #attempts = new Map<string, number>();
  /** Cancelled, and not in the ledger yet. */
  #unnoted: string[] = [];

  constructor(store: Store, layout: Layout, what: "cancel" | "hold", flush: boolean) {
    this.#store = store;
    this.#layout = layout;
    this.#what = what;
    this.#flush = flush;
  }

  foretell(place: JobPlace): Withdrawn {
    const { job, state } = place;
    if (place.numbers !== undefined) {
      return { job, state, end: ENDS.has(state) ? "ended" : "done", count: sizeOfPlace(place) };
    }
    if (ENDS.has(state)) return { job, state, end: "ended" };
    if (this.#what === "hold" && state === "running") return { job, state, end: "running" };
    return { job, state, end: "done" };
  }

  /**
   * Of an array's numbers those that are no jobs yet.
   *
   * @param ends gets what became of them
   * @returns where the others may be: they have become jobs meanwhile
   */
  async changeNumbers(
    place: JobPlace & { readonly numbers: Numbers },
    ends: Withdrawn[],
  ): Promise<JobPlace[]> {
    const { job, state, numbers } = place;
    const to = this.#what === "hold" ? "held" : "cancelled";
    if (state === to || state === "cancelled") {
      const end = state === "cancelled" ? "ended" : "done";
      ends.push({ job, state, end, count: sizeOfPlace(place) });
      return [];
    }
    const ranges = await changeNumbers(this.#store, this.#layout, place, [state as PartKind], to);
    const changed = { array: numbers.array, ranges };
    if (ranges.length > 0) {
      const name = nameOfNumbers(changed);
      ends.push({ job: name, state, end: "done", count: countOf(ranges) });
      if (this.#what === "cancel") this.#unnoted.push(name);
    }
    if (countOf(ranges) === countOf(numbers.ranges)) return [];
    const rest = [...numbersOf(numbers.ranges)].filter((number) => !hasNumber(changed, number));
    return rest.map((number) => {
      const name = elementName(numbers.array, number);
      const file = `${name}.ini`;
      return { job: name, file, state: "waiting", path: this.#layout.queued(file) };
    });
  }

  /** Those that have failed before: when they are put back one day, their attempts are counted anew. */
  async readAttempts(places: readonly JobPlace[]): Promise<void> {
    if (this.#what === "hold") return;
    const begun = new Set<string>();
    for (const { job, state, numbers } of places) {
      if (ENDS.has(state) || numbers !== undefined) continue;
      // A log tells without the ledgers whether it has run before.
      if (state === "retrying" || (await this.#store.has(this.#layout.attemptLog(job, 1)))) begun.add(job);
    }
    if (begun.size === 0) return;
    const { attempts } = await readHistory(this.#store, this.#layout, (job) => begun.has(job));
    for (const [job, all] of attempts) this.#attempts.set(job, all.at(-1)?.attempt ?? 0);
  }

  /** Undefined: not yet. */
  async tryOne(one: Case, place: JobPlace | undefined): Promise<Withdrawn["end"] | undefined> {
    if (place === undefined) return "gone";
    const { state, worker } = place;
    if (state === "held" && this.#what === "hold") return "done";
    if (state === "cancelled" && this.#what === "cancel" && one.asked.size > 0) return "done";
    if (ENDS.has(state)) return "ended";
    if (worker !== undefined) {
      if (state === "running" && this.#what === "hold") return "running";
      if (one.asked.has(worker)) return undefined;
      const { file } = one;
      if (await leaveAsk(this.#store, this.#layout, worker, { what: this.#what, file, by: this.#by })) {
        one.asked.add(worker);
      }
      return undefined;
    }
    const room = this.#what === "hold" ? "jobheld" : "jobcancelled";
    const end = await withdraw(this.#store, this.#layout, place.path, one.file, room);
    if (end === "gone") return undefined;
    if (end === "name-taken") return end;
    if (this.#what === "cancel") this.#unnoted.push(one.job);
    return "done";
  }

  /** @throws ErrnoException which says also what was done, and is not noted */
  async note(): Promise<void> {
    const jobs = this.#unnoted;
    this.#unnoted = [];
    const events = jobs.map((job) => ({
      event: "cancelled" as const,
      job,
      attempt: this.#attempts.get(job) ?? 0,
      by: this.#by,
      reason: `by ${this.#by}`,
    }));
    try {
      await noteByHand(this.#store, this.#layout, this.#flush, events);
    } catch (error) {
      const what = jobs.length === 1 ? `${jobs[0]} is` : `${jobs.length} jobs are`;
      const message = `${what} cancelled, but the ledger cannot be told of it: ${(error as Error).message}`;
      throw Object.assign(new Error(message, { cause: error }), {
        code: (error as NodeJS.ErrnoException).code,
      });
    }
  }
}

/** Where these jobs are now. One that is on its way from one place to the next is looked for once more. */
async function locate(
  store: Store,
  layout: Layout,
  jobs: readonly { job: string; file: string }[],
): Promise<Map<string, JobPlace>> {
  const found = new Map<string, JobPlace>();
  for (let look = 0; look < 2; look++) {
    const onDesks = new Map((await findOnDesks(store, layout)).map((place) => [place.file, place]));
    const leaving = new Map<string, Map<string, JobPlace>>();
    for (const { job, file } of jobs) {
      if (found.has(job)) continue;
      const array = elementOf(job)?.array;
      let place = onDesks.get(file) ?? (await inRooms(store, layout, job, file));
      if (place === undefined && array !== undefined) {
        const ofArray = leaving.get(array) ?? (await leavingArray(store, layout, array));
        leaving.set(array, ofArray);
        place = ofArray.get(file);
      }
      if (place !== undefined) found.set(job, place);
    }
    if (found.size === jobs.length) break;
  }
  return found;
}

async function inRooms(
  store: Store,
  layout: Layout,
  job: string,
  file: string,
): Promise<JobPlace | undefined> {
  const rooms: [JobState, string][] = [
    ["waiting", layout.queued(file)],
    ["retrying", layout.toRetry(file)],
    ["held", layout.held(file)],
    ["cancelled", layout.ended("jobcancelled", file)],
    ["done", layout.ended("jobdone", file)],
    ["failed", layout.ended("jobfailed", file)],
  ];
  for (const [state, path] of rooms) if (await store.has(path)) return { job, file, state, path };
  return undefined;
}

/** Elements that are on their way from their array to the queue, by file. */
async function leavingArray(store: Store, layout: Layout, name: string): Promise<Map<string, JobPlace>> {
  const view = await readArray(store, layout, name);
  const places = view === undefined ? [] : placesOf(layout, { ...view, parts: [] }, WAITING);
  return new Map(places.map((place) => [place.file, place]));
}
