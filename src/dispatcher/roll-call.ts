/** Result of one look at a worker. */
export interface Sighting {
  readonly worker: string;
  /** The heartbeat counter; -1 when there is a desk but no announcement. */
  readonly beat: number;
  /** State of the worker's process, as far as this host can tell. */
  readonly liveness: "alive" | "dead" | "unknown";
}

export interface Lost {
  readonly worker: string;
  readonly reason: string;
}

interface Record {
  beat: number;
  /** Time when the last look that counted ended, in s by the observer's monotonic clock. */
  lookedAt: number;
  /** Number of looks in a row that found the same counter. */
  unmoved: number;
}

/**
 * S8: decides which workers are lost. A worker is lost at once when its process is known to be dead. A worker is also lost when K
 * successful looks in a row found the same counter. These looks are at least a beat apart, by the observer's own monotonic clock.
 * No wall clocks are compared.
 *
 * If there are three or more workers and most of them look silent at once, the cause is more likely the observer or the store.
 * Then each of these workers gets K more looks.
 */
export class RollCall {
  readonly #beat: number;
  readonly #looks: number;
  readonly #records = new Map<string, Record>();

  /** @param beat seconds @param looks K */
  constructor(beat: number, looks: number) {
    this.#beat = beat;
    this.#looks = looks;
  }

  /**
   * @param began time when the looks began, in s by the observer's monotonic clock
   * @param ended time when the looks ended. The store may have stalled in between, so each look may have been made at any time
   * between the two
   */
  call(sightings: readonly Sighting[], began: number, ended = began): Lost[] {
    const present = new Set(sightings.map((sighting) => sighting.worker));
    for (const worker of this.#records.keys()) {
      if (!present.has(worker)) this.#records.delete(worker);
    }
    const dead: Lost[] = [];
    const silent: { worker: string; unmoved: number }[] = [];
    for (const sighting of sightings) {
      const unmoved = this.#count(sighting, began, ended);
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

  /** Number of looks in a row that have found the same counter of the worker. */
  unmovedLooks(worker: string): number {
    return this.#records.get(worker)?.unmoved ?? 0;
  }

  #count({ worker, beat }: Sighting, began: number, ended: number): number {
    const before = this.#records.get(worker);
    if (before === undefined || before.beat !== beat) {
      this.#records.set(worker, { beat, lookedAt: ended, unmoved: 0 });
      return 0;
    }
    if (began - before.lookedAt >= this.#beat) {
      before.lookedAt = ended;
      before.unmoved++;
    }
    return before.unmoved;
  }
}
