/** What one look at a worker showed. */
export interface Sighting {
  readonly worker: string;
  /** The heartbeat counter; -1 when there is a desk but no announcement. */
  readonly beat: number;
  /** What this host knows of its process. */
  readonly liveness: "alive" | "dead" | "unknown";
}

export interface Lost {
  readonly worker: string;
  readonly reason: string;
}

interface Attendance {
  beat: number;
  /** When the last counted look was over, by the observer's monotonic clock, s. */
  lookedAt: number;
  /** Looks in a row that found the counter unmoved. */
  unmoved: number;
}

/**
 * S8: who is lost. A worker is, when its counter has not moved over K successful looks, each at least a beat apart on
 * the observer's own monotonic clock; at once, when its process is known to be dead. No wall clocks are compared.
 *
 * If most of three workers or more look lost at once without a death that was seen, the fault is likelier the
 * observer's or the store's: they get K looks more.
 */
export class RollCall {
  readonly #beat: number;
  readonly #looks: number;
  readonly #attendance = new Map<string, Attendance>();

  /** @param beat seconds @param looks K */
  constructor(beat: number, looks: number) {
    this.#beat = beat;
    this.#looks = looks;
  }

  /**
   * @param began when the looks began, by the observer's monotonic clock, s
   * @param ended when they were over: the store may have stalled in between, and what moved is seen by any of them
   */
  call(sightings: readonly Sighting[], began: number, ended = began): Lost[] {
    const present = new Set(sightings.map((sighting) => sighting.worker));
    for (const worker of this.#attendance.keys()) {
      if (!present.has(worker)) this.#attendance.delete(worker);
    }
    const dead: Lost[] = [];
    const silent: { worker: string; unmoved: number }[] = [];
    for (const sighting of sightings) {
      const unmoved = this.#look(sighting, began, ended);
      if (sighting.liveness === "dead") {
        dead.push({ worker: sighting.worker, reason: "its process is dead" });
      } else if (unmoved >= this.#looks) {
        silent.push({ worker: sighting.worker, unmoved });
      }
    }
    const others = sightings.length - dead.length;
    const suspicious = others >= 3 && silent.length > others / 2;
    return dead.concat(
      silent
        .filter(({ unmoved }) => !suspicious || unmoved >= this.#looks * 2)
        .map(({ worker, unmoved }) => ({
          worker,
          reason: `its heartbeat has not moved over ${unmoved} looks, ${this.#beat} s apart`,
        })),
    );
  }

  /** How often in a row its counter has been found unmoved: above 1, it should get no more jobs. */
  unmovedLooks(worker: string): number {
    return this.#attendance.get(worker)?.unmoved ?? 0;
  }

  #look({ worker, beat }: Sighting, began: number, ended: number): number {
    const before = this.#attendance.get(worker);
    if (before === undefined || before.beat !== beat) {
      this.#attendance.set(worker, { beat, lookedAt: ended, unmoved: 0 });
      return 0;
    }
    if (began - before.lookedAt >= this.#beat) {
      before.lookedAt = ended;
      before.unmoved++;
    }
    return before.unmoved;
  }
}
