import type { Clock } from "../store/clock.js";

/** Time in seconds over which the rate is measured. */
const SPAN = 15;
/** Jobs that end within this time (ms) are one data point of the rate. */
const GRAIN = 100;

/** Counts the jobs that have ended since the first job was seen, and how many end per second. Times are monotonic. */
export class Tally {
  succeeded = 0;
  failed = 0;
  cancelled = 0;
  readonly #clock: Clock;
  #begin: number | undefined;
  /** Number of ended jobs that have run. Other jobs, which were cancelled before they ran, say nothing about the speed. */
  #ended = 0;
  /** Times at which jobs ended, in ms, each with the number of jobs that had ended by then. */
  readonly #ends: { at: number; count: number }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Notes that there are jobs. The first call starts the time. */
  begin(): void {
    this.#begin ??= this.#clock.now();
  }

  /** Counts from 0 again. */
  restart(): void {
    this.succeeded = this.failed = this.cancelled = this.#ended = 0;
    this.#begin = undefined;
    this.#ends.length = 0;
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

  /** Counts jobs that were cancelled before they ran. */
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

  /** Jobs per second in the last seconds; 0 while unknown. */
  get rate(): number {
    const first = this.#ends[0];
    const last = this.#ends.at(-1);
    if (first === undefined || last === undefined) return 0;
    if (first === last) return this.elapsed > 0 ? last.count / this.elapsed : 0;
    return (last.count - first.count) / ((last.at - first.at) / 1000);
  }
}
