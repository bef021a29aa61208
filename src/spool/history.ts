import type { Outcome } from "../job/outcome.js";
import type { Layout } from "../project/layout.js";
import type { LedgerLine } from "./ledger.js";
import { Ledgers } from "./ledgers.js";
import type { Store } from "./store.js";

const ENDS: ReadonlySet<LedgerLine["event"]> = new Set(["ended", "lost", "discarded"]);

/** What the ledgers say of a job's attempts, their numbers by kind. */
interface Record {
  /** With a final outcome: what came up to the latest is another life of the job's name. */
  final: Set<number>;
  failed: Map<number, Outcome>;
  /** Back to the queue by their own wish. */
  requeued: Set<number>;
  lost: Set<number>;
  /** Stamps of files that were given up on the retry desk. */
  givenUp: Set<string>;
  /** The highest of which an end is told, whatever it was. */
  last: number;
}

/**
 * S9 counts attempts from the ledgers. They are read once, when first asked, and from then on only as they grow.
 * Only jobs with something to remember are remembered: a million that succeed at once cost nothing.
 */
export class History {
  readonly #ledgers: Ledgers;
  readonly #records = new Map<string, Record>();

  constructor(store: Store, layout: Layout) {
    this.#ledgers = new Ledgers(store, layout);
  }

  /**
   * How many attempts of a job failed, and how many were lost, since it was last done with; the latest that failed, and
   * how; and whether one after that asked to be run again.
   *
   * @param except an attempt that counts for nothing, as it is just being decided on, perhaps for the second time
   */
  async attemptsOf(
    job: string,
    except = 0,
  ): Promise<{ failed: number; lost: number; latest: number; requeued: boolean; outcome?: Outcome }> {
    await this.#readOn();
    const record = this.#records.get(job);
    if (record === undefined) return { failed: 0, lost: 0, latest: 0, requeued: false };
    const final = Math.max(0, ...[...record.final].filter((n) => n !== except));
    const later = (attempts: Iterable<number>) => [...attempts].filter((n) => n > final && n !== except);
    const failed = later(record.failed.keys());
    const latest = Math.max(0, ...failed);
    const requeued = later(record.requeued).some((attempt) => attempt > latest);
    const outcome = record.failed.get(latest);
    const lost = later(record.lost).length;
    return { failed: failed.length, lost, latest, requeued, ...(outcome && { outcome }) };
  }

  /** Whether the file of this stamp was given up already: then only the rename was missing. */
  async isGivenUp(job: string, stamp: string): Promise<boolean> {
    await this.#readOn();
    return this.#records.get(job)?.givenUp.has(stamp) ?? false;
  }

  /** Whether an attempt was declared lost: then nothing else that is told of it counts. */
  async isLost(job: string, attempt: number): Promise<boolean> {
    await this.#readOn();
    return this.#records.get(job)?.lost.has(attempt) ?? false;
  }

  /** The highest attempt of which the ledgers tell an end, as far as they can be read. */
  async lastEnded(job: string): Promise<number> {
    await this.#readOn();
    return this.#records.get(job)?.last ?? 0;
  }

  async #readOn(): Promise<void> {
    for await (const line of this.#ledgers.read()) this.#note(line);
  }

  /** Ledgers are read one after the other, not in the order of time: attempt numbers alone put them in order. */
  #note(line: LedgerLine): void {
    this.#remember(line);
    const record = "job" in line ? this.#records.get(line.job) : undefined;
    if (record !== undefined && ENDS.has(line.event) && "attempt" in line) {
      record.last = Math.max(record.last, line.attempt);
    }
  }

  #remember(line: LedgerLine): void {
    switch (line.event) {
      case "ended":
        // What a lost worker's ledger says of this attempt was never published.
        if (line.to === "jobqueue") this.#record(line.job);
        if (line.to === "jobqueue" || this.#records.get(line.job)?.lost.has(line.attempt)) break;
        if (line.outcome.kind === "requeued") this.#record(line.job).requeued.add(line.attempt);
        else if (line.to === "retry") this.#record(line.job).failed.set(line.attempt, line.outcome);
        else this.#finalise(line.job, line.attempt);
        break;
      case "lost":
        this.#forget(line.job, line.attempt);
        this.#record(line.job).lost.add(line.attempt);
        if (line.to === "jobfailed") this.#finalise(line.job, line.attempt);
        break;
      case "retry":
        if (line.to !== "jobfailed") break;
        this.#finalise(line.job, line.attempt);
        this.#record(line.job).givenUp.add(line.stamp);
        break;
      case "cancelled":
        if (line.attempt > 0) this.#record(line.job).final.add(line.attempt);
        break;
      case "discarded":
        this.#record(line.job);
        this.#forget(line.job, line.attempt);
        break;
      default:
        break;
    }
  }

  #record(job: string): Record {
    let record = this.#records.get(job);
    if (record === undefined) {
      record = {
        final: new Set(),
        failed: new Map(),
        requeued: new Set(),
        lost: new Set(),
        givenUp: new Set(),
        last: 0,
      };
      this.#records.set(job, record);
    }
    return record;
  }

  #forget(job: string, attempt: number): void {
    this.#records.get(job)?.failed.delete(attempt);
    this.#records.get(job)?.requeued.delete(attempt);
    this.#records.get(job)?.final.delete(attempt);
  }

  #finalise(job: string, attempt: number): void {
    if (attempt === 1 && !this.#records.has(job)) return;
    this.#record(job).final.add(attempt);
  }
}
