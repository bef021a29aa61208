import { setTimeout as delay } from "node:timers/promises";
import { Crew } from "./crew.js";
import type { Bench, Dice } from "./harness.js";
import { QUICK_LEASE } from "./harness.js";
import { Operator } from "./operator.js";
import type { SmallDisk } from "./small-disk.js";

/** A project with its people, to which things happen. */
interface Scenery {
  readonly crew: Crew;
  readonly operator: Operator;
  readonly dice: Dice;
  readonly disk: SmallDisk | undefined;
}

/** What can happen, by name. False: it could not, this time. */
const STRIKES = {
  "a worker killed": ({ crew }) => crew.killWorker(),
  "all workers killed": ({ crew }) => crew.killAllWorkers(),
  "a dispatcher killed": ({ crew }) => crew.killDispatcher(),
  "a recruiter killed": ({ crew }) => crew.killRecruiter(),
  "everybody killed": ({ crew }) => crew.killEverybody(),
  "a worker fired": ({ crew }) => crew.dismissWorker(),
  "somebody stopped": ({ crew }) => crew.stopOne(),
  "an event loop stalled": ({ crew }) => crew.stallOne(),
  "a clock jumped": ({ crew }) => crew.jumpOne(),
  "a waiting job moved away and back": ({ operator }) => operator.moveAwayAndBack(),
  "a waiting job removed": ({ operator }) => operator.remove(),
  "a failed job moved back": ({ operator }) => operator.tryAgain(),
  "the seat's lock removed": ({ operator }) => operator.clearSeat(),
  "an order removed": ({ operator }) => operator.loseOrder(),
  "a project read-only": async ({ crew, operator }) => {
    await crew.settled();
    return operator.makeReadOnly();
  },
  "a full disk": async ({ disk, dice }) => {
    if (disk === undefined) return false;
    const free = dice.next() < 0.5 ? disk.fill() : disk.crowd();
    await delay(dice.between(0.3, 2) * QUICK_LEASE);
    free();
    return true;
  },
} satisfies Record<string, (scenery: Scenery) => unknown>;

export type Strike = keyof typeof STRIKES;
/** How often each happens beside the others. */
export type Weights = Partial<Record<Strike, number>>;

interface Options {
  readonly workers: number;
  readonly dispatchers: number;
  readonly weights: Weights;
  /** What the project lies on, if it is to become full. */
  readonly disk?: SmallDisk;
}

/** Strikes at a project at random, while jobs go on coming, and has it judged now and then. */
export class Chaos {
  readonly crew: Crew;
  readonly #bench: Bench;
  readonly #dice: Dice;
  readonly #scenery: Scenery;
  readonly #weights: [Strike, number][];
  readonly struck = new Map<Strike, number>();
  judged = 0;

  constructor(bench: Bench, dice: Dice, { workers, dispatchers, weights, disk }: Options) {
    this.#bench = bench;
    this.#dice = dice;
    this.#weights = Object.entries(weights) as [Strike, number][];
    this.submitMany(disk === undefined ? 100 : 30);
    this.crew = new Crew(bench, dice, { workers, dispatchers }, { mayFail: disk !== undefined });
    this.#scenery = { crew: this.crew, operator: new Operator(bench, dice), dice, disk };
  }

  /** Until there has been enough of it. */
  async rage(isEnough: () => boolean): Promise<void> {
    await this.#bench.onDuty(1);
    while (!isEnough()) {
      await delay(this.#dice.between(20, 350));
      const strike = this.#pick();
      if ((await STRIKES[strike](this.#scenery)) !== false)
        this.struck.set(strike, (this.struck.get(strike) ?? 0) + 1);
      if (this.#dice.next() < 0.1) {
        await this.#bench.judgeNow(this.#known);
        this.judged++;
      }
      this.crew.fill();
      if (this.#bench.unended().length < 30) this.submitMany(15);
    }
  }

  /** All is left in peace: whatever was accepted comes to its end, and is judged. */
  async settle(): Promise<void> {
    await this.#bench.untilEnded(90);
    await this.#bench.closeDown(this.#known);
    this.judged++;
  }

  get #known() {
    return { oneHost: true, hasKilled: true, wasFull: this.#scenery.disk !== undefined };
  }

  #pick(): Strike {
    const sum = this.#weights.reduce((total, [, weight]) => total + weight, 0);
    let at = this.#dice.next() * sum;
    for (const [strike, weight] of this.#weights) {
      at -= weight;
      if (at < 0) return strike;
    }
    return (this.#weights.at(-1) as [Strike, number])[0];
  }

  /** Short jobs; some fail, some of these are tried again, some go on from a checkpoint, some will not die. */
  submitMany(count: number): void {
    const bench = this.#bench;
    for (let n = bench.accepted.length, end = n + count; n < end; n++) {
      const seconds = this.#dice.next() < 0.3 ? 0 : Math.round(this.#dice.between(1, 200)) / 1000;
      const fails = n % 20 === 7;
      const retries = n % 40 === 7 ? 2 : 0;
      const ends = fails ? "jobfailed" : "jobdone";
      const status = fails ? 3 : n % 20 === 11 ? "checkpoint" : 0;
      // Deaf to SIGTERM, and with a child that nobody waits for.
      const stubborn = n % 20 === 13 ? "trap '' HUP TERM; sleep 1000 & " : "";
      bench.submit({ job: `job${n}`, ends, retries }, `${stubborn}${bench.line(seconds, status)}`);
    }
    // And as many again in one file.
    bench.submitArray(`array${bench.accepted.length}`, count, bench.line(0));
  }
}
