import type { Dependency } from "../job/after.js";
import { elementName, elementOf } from "../job/element.js";
import { contains, numbersOf } from "../job/numbers.js";
import { END_ROOMS } from "../project/layout.js";
import { type ArrayPart, type ArrayView, type PartKind, readArray } from "../spool/array-parts.js";
import { readJobFile } from "../spool/read-job-file.js";
import { factsIfThere } from "../store/file-facts.js";
import type { Site } from "../store/site.js";

/** State of a job that other jobs wait for. `unknown`: there is no job of this name, or the job is held. */
export type Standing = "unknown" | "open" | "succeeded" | "failed";

/** Decision about a job that waits for other jobs. `never`: the job `because` did not succeed, so the waiting job cannot run. */
export type Verdict =
  | { readonly kind: "free" }
  | { readonly kind: "waits" }
  | { readonly kind: "never"; readonly because: string };

/** Decides whether a job may run, from the standings of the jobs that it waits for. The function is pure. */
export function judge(after: readonly Dependency[], standingOf: (job: string) => Standing): Verdict {
  let waits = false;
  for (const { job, on } of after) {
    const standing = standingOf(job);
    if (standing === "failed" && on === "ok") return { kind: "never", because: job };
    if (standing === "open" || standing === "unknown") waits = true;
  }
  return { kind: waits ? "waits" : "free" };
}

const ENDS = END_ROOMS.map((room) => [room, room === "jobdone" ? "succeeded" : "failed"] as const);

/** Standing of an element of an array that has no job file yet. */
const WITHOUT_FILE: Readonly<Record<PartKind, Standing>> = {
  waiting: "open",
  held: "unknown",
  cancelled: "failed",
};

/** Reads the standings of jobs from the directories, so that a new dispatcher knows them too. */
export class Standings {
  readonly #site: Site;
  readonly #isOpen: (job: string) => boolean;

  /** @param isOpen whether a job of this name waits or runs, as far as the dispatcher knows */
  constructor(site: Site, isOpen: (job: string) => boolean) {
    this.#site = site;
    this.#isOpen = isOpen;
  }

  async read(job: string): Promise<Standing> {
    if (this.#isOpen(job)) return "open";
    const { store, layout } = this.#site;
    const isThere = async (pathOf: (file: string) => string) =>
      (await store.has(pathOf(`${job}.ini`))) || (await store.has(pathOf(job)));
    if (await isThere((file) => layout.queued(file))) return "open";
    if (await isThere((file) => layout.held(file))) return "unknown";
    const array = await readArray(this.#site, job);
    if (array !== undefined) return this.#ofArray(array);
    const element = elementOf(job);
    const part = element && (await this.#partOf(element.array, element.number));
    if (part !== undefined) return WITHOUT_FILE[part.kind];
    return this.#byLastEnd(job);
  }

  /** The part of an array that holds an element without a job file. */
  async #partOf(name: string, number: number): Promise<ArrayPart | undefined> {
    const view = await readArray(this.#site, name);
    return view?.parts.find(({ range }) => contains(range, number));
  }

  /** Standing of all elements together. If one element is open, the whole array is open, even if another element failed. */
  async #ofArray(view: ArrayView): Promise<Standing> {
    const { store, layout } = this.#site;
    if (view.outgoing.length > 0 || view.parts.some(({ kind }) => kind === "waiting")) return "open";
    const seen = await readJobFile(store, layout.arrayFile(view.name), `${view.name}.ini`);
    if (seen.kind !== "valid" || seen.job.array === undefined) return "unknown";
    const rooms: ReadonlySet<string>[] = [];
    for (const [room] of ENDS) rooms.push(new Set(await store.list(layout.end(room))));
    let whole: Standing = "succeeded";
    for (const number of numbersOf(seen.job.array.ranges)) {
      const standing = await this.#ofElement(view, number, rooms);
      if (standing === "open") return "open";
      if (standing === "unknown" || (standing === "failed" && whole === "succeeded")) whole = standing;
    }
    return whole;
  }

  async #ofElement(
    view: ArrayView,
    number: number,
    rooms: readonly ReadonlySet<string>[],
  ): Promise<Standing> {
    const job = elementName(view.name, number);
    if (this.#isOpen(job)) return "open";
    const part = view.parts.find(({ range }) => contains(range, number));
    if (part !== undefined) return WITHOUT_FILE[part.kind];
    const found = ENDS.filter((_, i) => rooms[i]?.has(`${job}.ini`));
    const [end] = found;
    // If the name was used again, or a process is moving the job at this moment, each directory must be checked by itself.
    return found.length === 1 && end !== undefined ? end[1] : this.read(job);
  }

  /**
   * If a name was used again, a file of an earlier job may be in another directory. The file that came last counts, by the
   * store's clock.
   */
  async #byLastEnd(job: string): Promise<Standing> {
    const { store, layout } = this.#site;
    let last: { standing: Standing; at: number } = { standing: "unknown", at: Number.NEGATIVE_INFINITY };
    for (const [room, standing] of ENDS) {
      for (const file of [`${job}.ini`, job]) {
        const facts = await factsIfThere(store, layout.ended(room, file));
        if (facts !== undefined && facts.ctimeMs > last.at) last = { standing, at: facts.ctimeMs };
      }
    }
    return last.standing;
  }
}
