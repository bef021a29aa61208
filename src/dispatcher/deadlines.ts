/** Settings of one kind of look. */
export interface Rule {
  /** Shortest time in ms from one look to the next, even after a call of `hurry`. */
  readonly rest?: () => number;
  /** Whether the dispatcher wakes up for the look. If not, the look waits until the dispatcher wakes up for another reason. */
  readonly wakes?: () => boolean;
}

interface Deadline extends Rule {
  /** Time of the last look (monotonic, ms). */
  madeAt: number;
  /** Time from one look to the next, in ms. */
  apart: number;
  isHurried: boolean;
}

/** Tells when each named look is due. All looks are due at first. Times are monotonic, in ms. */
export class Deadlines<Name extends string> {
  readonly #deadlines = new Map<Name, Deadline>();

  constructor(rules: Readonly<Record<Name, Rule>>) {
    for (const name of Object.keys(rules) as Name[]) {
      const fresh = { madeAt: Number.NEGATIVE_INFINITY, apart: 0, isHurried: true };
      this.#deadlines.set(name, { ...rules[name], ...fresh });
    }
  }

  /** Records that the look was made at `now`. The look is due again `apart` ms later. */
  made(name: Name, now: number, apart: number): void {
    Object.assign(this.#of(name), { madeAt: now, apart, isHurried: false });
  }

  /** Makes the look due as soon as its shortest time (`rest`) has passed. */
  hurry(name: Name): void {
    this.#of(name).isHurried = true;
  }

  /** Makes all looks due now, whatever their `rest` is. */
  hurryAll(): void {
    for (const deadline of this.#deadlines.values()) {
      deadline.madeAt = Number.NEGATIVE_INFINITY;
      deadline.isHurried = true;
    }
  }

  isHurried(name: Name): boolean {
    return this.#of(name).isHurried;
  }

  isDue(name: Name, now: number): boolean {
    return now >= dueAt(this.#of(name));
  }

  /** Time in ms until the next look for which the dispatcher wakes up. A negative number means that this look is overdue. */
  untilNext(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const deadline of this.#deadlines.values()) {
      if (deadline.wakes === undefined || deadline.wakes()) next = Math.min(next, dueAt(deadline));
    }
    return next - now;
  }

  #of(name: Name): Deadline {
    return this.#deadlines.get(name) as Deadline;
  }
}

function dueAt({ madeAt, apart, isHurried, rest }: Deadline): number {
  return madeAt + Math.max(isHurried ? 0 : apart, rest?.() ?? 0);
}
