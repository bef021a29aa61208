import type { Dependency } from "../job/after.js";
import { elementName, elementOf } from "../job/element.js";
import { contains, numbersOf } from "../job/numbers.js";
import type { Layout } from "../project/layout.js";
import { type ArrayPart, type ArrayView, type PartKind, readArray } from "../spool/array-parts.js";
import { changeParts } from "../spool/arrays.js";
import { factsIfThere } from "../spool/file-facts.js";
import { look } from "../spool/intake.js";
import type { Ledger } from "../spool/ledger.js";
import type { Store } from "../spool/store.js";
import { withdraw } from "../spool/withdraw.js";

/** How far a job is that others wait for. `unknown`: there is none of this name, or it is held. */
type Progress = "unknown" | "open" | "succeeded" | "failed";

/** What a job that waits for others may do now. */
export type Verdict =
  | { readonly kind: "free" }
  | { readonly kind: "waits" }
  /** It never will: this one did not succeed. */
  | { readonly kind: "never"; readonly because: string };

/** Pure: all that it waits for has ended as it should, or one of them has not. */
export function judge(after: readonly Dependency[], progressOf: (job: string) => Progress): Verdict {
  let waits = false;
  for (const { job, on } of after) {
    const progress = progressOf(job);
    if (progress === "failed" && on === "ok") return { kind: "never", because: job };
    if (progress === "open" || progress === "unknown") waits = true;
  }
  return { kind: waits ? "waits" : "free" };
}

/** A job in the queue, or an array, that waits for others. */
export interface Blocked {
  readonly file: string;
  readonly job: string;
  readonly after: readonly Dependency[];
  readonly isArray?: boolean;
}

const ENDS = [
  ["jobdone", "succeeded"],
  ["jobfailed", "failed"],
  ["jobcancelled", "failed"],
] as const;

/** What is with a number that is no job yet. */
const PROGRESS: Readonly<Record<PartKind, Progress>> = {
  waiting: "open",
  held: "unknown",
  cancelled: "failed",
};
const WAITING: ReadonlySet<PartKind> = new Set(["waiting"]);

/** Between two looks, ms, at the least; and this many times what a look takes. */
const LOOKS_APART = 100;
const LOOK_SHARE = 20;
/** A look may have been kept waiting by the store: the next one is no farther off than that, ms. */
const LOOKS_APART_AT_MOST = 30_000;

/**
 * Jobs that wait for others stay in the queue, where everybody sees them. The directories tell how those others ended, so
 * that a dispatcher that comes new knows it too.
 */
export class Dependencies {
  readonly #store: Store;
  readonly #layout: Layout;
  readonly #ledger: Pick<Ledger, "append">;
  readonly #dispatcher: string;
  readonly #isOpen: (job: string) => boolean;
  #next = 0;

  /** @param isOpen whether a job of this name waits or runs, as far as the dispatcher knows */
  constructor(
    store: Store,
    layout: Layout,
    ledger: Pick<Ledger, "append">,
    dispatcher: string,
    isOpen: (job: string) => boolean,
  ) {
    this.#store = store;
    this.#layout = layout;
    this.#ledger = ledger;
    this.#dispatcher = dispatcher;
    this.#isOpen = isOpen;
  }

  /** When the next look is due, monotonic, ms. */
  get nextLook(): number {
    return this.#next;
  }

  /** The next look is due now. */
  hurry(): void {
    this.#next = 0;
  }

  /** Finds out which jobs are free now. Those that never will be are cancelled, with the reason. */
  async look(
    blocked: readonly Blocked[],
  ): Promise<{ free: Blocked[]; cancelled: (Blocked & { readonly reason: string })[] }> {
    const begin = this.#store.clock.now();
    const progress = new Map<string, Progress>();
    for (const { job } of blocked.flatMap(({ after }) => after)) {
      if (!progress.has(job)) progress.set(job, await this.#progressOf(job));
    }
    const free: Blocked[] = [];
    const cancelled: (Blocked & { readonly reason: string })[] = [];
    let left = blocked;
    for (let isChanged = true; isChanged; ) {
      isChanged = false;
      const still: Blocked[] = [];
      for (const one of left) {
        const verdict = judge(one.after, (job) => progress.get(job) ?? "unknown");
        if (verdict.kind === "free") free.push(one);
        else if (verdict.kind === "waits") still.push(one);
        else {
          cancelled.push({ ...one, reason: await this.#cancel(one, verdict.because) });
          progress.set(one.job, "failed");
          isChanged = true; // what waits for this one in turn
        }
      }
      left = still;
    }
    const end = this.#store.clock.now();
    const pause = Math.min((end - begin) * LOOK_SHARE, LOOKS_APART_AT_MOST);
    this.#next = end + Math.max(LOOKS_APART, pause);
    return { free, cancelled };
  }

  async #cancel({ file, job, isArray }: Blocked, because: string): Promise<string> {
    const reason = `it was to run after ${because}, which did not succeed`;
    const by = this.#dispatcher;
    await this.#ledger.append({ event: "cancelled", job, attempt: 0, by, reason, because });
    if (isArray === true) await changeParts(this.#store, this.#layout, job, WAITING, "cancelled");
    else await withdraw(this.#store, this.#layout, this.#layout.queued(file), file, "jobcancelled");
    return reason;
  }

  async #progressOf(job: string): Promise<Progress> {
    if (this.#isOpen(job)) return "open";
    const layout = this.#layout;
    const isThere = async (pathOf: (file: string) => string) =>
      (await this.#store.has(pathOf(`${job}.ini`))) || (await this.#store.has(pathOf(job)));
    if (await isThere((file) => layout.queued(file))) return "open";
    if (await isThere((file) => layout.held(file))) return "unknown";
    const array = await readArray(this.#store, layout, job);
    if (array !== undefined) return this.#progressOfArray(array);
    const element = elementOf(job);
    const part = element && (await this.#partOf(element.array, element.number));
    if (part !== undefined) return PROGRESS[part.kind];
    return this.#lastEndOf(job);
  }

  /** A number that is no job yet. */
  async #partOf(name: string, number: number): Promise<ArrayPart | undefined> {
    const view = await readArray(this.#store, this.#layout, name);
    return view?.parts.find(({ range }) => contains(range, number));
  }

  /** Of all its numbers together: one that is still to be done counts for more than one that has failed. */
  async #progressOfArray(view: ArrayView): Promise<Progress> {
    if (view.outgoing.length > 0 || view.parts.some(({ kind }) => kind === "waiting")) return "open";
    const seen = await look(this.#store, this.#layout.arrayFile(view.name), `${view.name}.ini`);
    if (seen.kind !== "valid" || seen.job.array === undefined) return "unknown";
    const rooms: ReadonlySet<string>[] = [];
    for (const [room] of ENDS) rooms.push(new Set(await this.#store.list(this.#layout.end(room))));
    let whole: Progress = "succeeded";
    for (const number of numbersOf(seen.job.array.ranges)) {
      const job = elementName(view.name, number);
      if (this.#isOpen(job)) return "open";
      const part = view.parts.find(({ range }) => contains(range, number));
      const found = ENDS.filter((_, i) => rooms[i]?.has(`${job}.ini`));
      // Of a name that was used again, or that is on its way just now, the places have to be looked at.
      const progress =
        part !== undefined
          ? PROGRESS[part.kind]
          : found.length === 1
            ? (found[0]?.[1] ?? "unknown")
            : await this.#progressOf(job);
      if (progress === "open") return "open";
      if (progress === "unknown" || (progress === "failed" && whole === "succeeded")) whole = progress;
    }
    return whole;
  }

  /** Of a name that was used again, an older end may lie in another room: the last counts, by the store's clock. */
  async #lastEndOf(job: string): Promise<Progress> {
    let last: { progress: Progress; at: number } = { progress: "unknown", at: Number.NEGATIVE_INFINITY };
    for (const [room, progress] of ENDS) {
      for (const file of [`${job}.ini`, job]) {
        const facts = await factsIfThere(this.#store, this.#layout.ended(room, file));
        if (facts !== undefined && facts.ctimeMs > last.at) last = { progress, at: facts.ctimeMs };
      }
    }
    return last.progress;
  }
}
