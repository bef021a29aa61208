import { setTimeout as delay } from "node:timers/promises";
import { Dice } from "../rig/dice.js";
import { Crew } from "./crew.js";
import { Operator } from "./operator.js";
import type { SmallDisk } from "./small-disk.js";
import type { WitnessedProject } from "./witnessed-project.js";
import { QUICK_LEASE } from "./witnessed-project.js";

/** A project and its crew, for a strike. */
interface Scenery {
  readonly crew: Crew;
  readonly operator: Operator;
  readonly dice: Dice;
  readonly disk: SmallDisk | undefined;
}

/** The faults, by name. A strike returns false if it was not possible this time. */
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
  "the dispatcher lock removed": ({ operator }) => operator.removeDispatcherLock(),
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
/** Frequency of each strike, relative to the others. */
export type Weights = Partial<Record<Strike, number>>;

interface Options {
  readonly workers: number;
  readonly dispatchers: number;
  readonly weights: Weights;
  /** The disk that holds the project, for strikes that fill it. */
  readonly disk?: SmallDisk;
}

/** Makes random faults in a project while new jobs come, and lets the checker judge from time to time. */
export class Chaos {
  readonly crew: Crew;
  readonly #project: WitnessedProject;
  readonly #dice: Dice;
  readonly #scenery: Scenery;
  readonly #weights: [Strike, number][];
  readonly struck = new Map<Strike, number>();
  judged = 0;

  constructor(project: WitnessedProject, dice: Dice, { workers, dispatchers, weights, disk }: Options) {
    this.#project = project;
    this.#dice = dice;
    this.#weights = Object.entries(weights) as [Strike, number][];
    this.submitMany(disk === undefined ? 100 : 30);
    this.crew = new Crew(project, dice, { workers, dispatchers }, { mayFail: disk !== undefined });
    this.#scenery = { crew: this.crew, operator: new Operator(project, dice), dice, disk };
  }

  /** Strikes until the condition holds. */
  async rage(isEnough: () => boolean): Promise<void> {
    await this.#project.onDuty(1);
    while (!isEnough()) {
      await delay(this.#dice.between(20, 350));
      const strike = this.#pick();
      if ((await STRIKES[strike](this.#scenery)) !== false)
        this.struck.set(strike, (this.struck.get(strike) ?? 0) + 1);
      if (this.#dice.next() < 0.1) {
        await this.#project.judgeNow(this.#known);
        this.judged++;
      }
      this.crew.fill();
      if (this.#project.unended().length < 30) this.submitMany(15);
    }
  }

  /** Waits without further strikes until all accepted jobs have ended. Then the checker judges. */
  async settle(): Promise<void> {
    await this.#project.untilEnded(90);
    await this.#project.closeDown(this.#known);
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

  /** Submits short jobs. Some fail, some are tried again, some continue from a checkpoint, and some ignore SIGTERM. */
  submitMany(count: number): void {
    const project = this.#project;
    for (let n = project.accepted.length, end = n + count; n < end; n++) {
      const seconds = this.#dice.next() < 0.3 ? 0 : Math.round(this.#dice.between(1, 200)) / 1000;
      const fails = n % 20 === 7;
      const retries = n % 40 === 7 ? 2 : 0;
      const ends = fails ? "jobfailed" : "jobdone";
      const status = fails ? 3 : n % 20 === 11 ? "checkpoint" : 0;
      // This job ignores SIGTERM and leaves a child behind.
      const stubborn = n % 20 === 13 ? "trap '' HUP TERM; sleep 1000 & " : "";
      project.submit({ job: `job${n}`, ends, retries }, `${stubborn}${project.line(seconds, status)}`);
    }
    // The same number of jobs again, as an array.
    project.submitArray(`array${project.accepted.length}`, count, project.line(0));
  }
}

/** All faults of workers, dispatchers and recruiters. */
export const ANYTHING: Weights = {
  "a worker killed": 35,
  "a dispatcher killed": 25,
  "a recruiter killed": 15,
  "a worker fired": 8,
  "somebody stopped": 9,
  "everybody killed": 8,
};

interface Round extends Options {
  readonly seed: number;
  readonly kills: number;
}

/** Strikes until this number of processes has been killed. Then all jobs come to their end, and the checker judges. */
export async function survive(project: WitnessedProject, { seed, kills, ...options }: Round): Promise<void> {
  const chaos = new Chaos(project, new Dice(seed), options);
  await chaos.rage(() => chaos.crew.kills >= kills);
  await chaos.settle();
}
