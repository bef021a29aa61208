import type { Clock } from "../spool/clock.js";

/** Over how many seconds the rate is taken. */
const SPAN = 15;
/** Jobs that end within so many ms are one point. */
const GRAIN = 100;

/** Counts what ends, since the first job was seen, and how fast. Times by the monotonic clock. */
export class Tally {
  succeeded = 0;
  failed = 0;
  cancelled = 0;
  #begin: number | undefined;
  /** Jobs that were run; those that were not are no measure of speed. */
  #ended = 0;
  /** When jobs ended lately, ms, and how many by then. */
  readonly #clock: Clock;
  readonly #ends: { at: number; count: number }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** There are jobs: from the first time on, time counts. */
  begin(): void {
    this.#begin ??= this.#clock.now();
  }

  get hasBegun(): boolean {
    return this.#begin !== undefined;
  }

  /** Seconds. */
  get elapsed(): number {
    return this.#begin === undefined ? 0 : (this.#clock.now() - this.#begin) / 1000;
  }

  countRefused(): void {
    this.begin();
    this.failed++;
  }

  /** So many that never began. */
  countCancelled(count: number): void {
    this.begin();
    this.cancelled += count;
  }

  count(outcome: "succeeded" | "failed" | "cancelled"): void {
    this.begin();
    this[outcome]++;
    const now = this.#clock.now();
    const last = this.#ends.at(-1);
    const count = ++this.#ended;
    if (last !== undefined && now - last.at < GRAIN) last.count = count;
    else this.#ends.push({ at: now, count });
    while (this.#ends.length > 2 && now - (this.#ends[0]?.at ?? 0) > SPAN * 1000) this.#ends.shift();
  }

  /** Jobs per second, lately; 0 while unknown. */
  get rate(): number {
    const first = this.#ends[0];
    const last = this.#ends.at(-1);
    if (first === undefined || last === undefined) return 0;
    if (first === last) return this.elapsed > 0 ? last.count / this.elapsed : 0;
    return (last.count - first.count) / ((last.at - first.at) / 1000);
  }
}
