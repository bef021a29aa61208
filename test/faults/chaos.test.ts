import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { processesOf } from "../checker/evidence.js";
import { type Bench, benches, type Daemon, Dice, kill, QUICK, QUICK_LEASE, SEED } from "./harness.js";

/** Kills in all, over the three rounds. */
const KILLS = Number(process.env.FJORD_CHAOS_KILLS ?? 200);

/** The people of a project, whom a chaos loop kills and replaces. */
class Crew {
  readonly #bench: Bench;
  readonly #dice: Dice;
  readonly #size: { workers: number; dispatchers: number };
  #workers: Daemon[] = [];
  #dispatchers: Daemon[] = [];
  kills = 0;

  constructor(bench: Bench, dice: Dice, size: { workers: number; dispatchers: number }) {
    this.#bench = bench;
    this.#dice = dice;
    this.#size = size;
    this.fill();
  }

  /** Puts new ones in the places of the dead. */
  fill(): void {
    while (this.#workers.length < this.#size.workers) this.#workers.push(this.#bench.worker());
    while (this.#dispatchers.length < this.#size.dispatchers) {
      this.#dispatchers.push(this.#bench.dispatcher());
    }
  }

  killWorker(): void {
    this.#kill([this.#dice.pick(this.#workers)]);
  }

  killAllWorkers(): void {
    this.#kill(this.#workers);
  }

  killDispatcher(): void {
    this.#kill([this.#dice.pick(this.#dispatchers)]);
  }

  /** One is fired: it is to stop its job and go. */
  dismissWorker(): void {
    const worker = this.#dice.pick(this.#workers);
    worker.kill("SIGTERM");
    worker.kill("SIGTERM");
    this.#workers = this.#workers.filter((daemon) => daemon !== worker);
  }

  /** One is stopped, for longer than its lease or not so long, and goes on. */
  async stopOne(): Promise<void> {
    const one = this.#dice.pick([...this.#workers, ...this.#dispatchers]);
    one.kill("SIGSTOP");
    await delay(this.#dice.between(0.3, 1.7) * QUICK_LEASE);
    one.kill("SIGCONT");
  }

  killEverybody(): void {
    this.#kill([...this.#workers, ...this.#dispatchers]);
  }

  /** A recruiter that is killed in the midst of its hire; whom it had started by then stays or is killed, too. */
  async killRecruiter(): Promise<void> {
    const recruiter = this.#bench.command("recruiter", ["hire", "2"]);
    await delay(this.#dice.between(100, 900));
    this.#kill([recruiter]);
    await recruiter.ended;
    // Hired ones are no children of ours: too many of them would only slow everything down.
    const ours = new Set(this.#workers.map((daemon) => daemon.pid));
    for (const { pid, command } of processesOf(this.#bench.root)) {
      if (!/bin\/hired-worker\.js/.test(command) || ours.has(pid)) continue;
      kill(pid);
      this.kills++;
    }
  }

  #kill(victims: readonly Daemon[]): void {
    for (const victim of victims) {
      if (!victim.isAlive()) continue;
      victim.kill();
      this.kills++;
    }
    this.#workers = this.#workers.filter((daemon) => !victims.includes(daemon));
    this.#dispatchers = this.#dispatchers.filter((daemon) => !victims.includes(daemon));
  }
}

/** Short jobs; some fail, some of these are tried again, some go on from a checkpoint. */
function submitMany(bench: Bench, dice: Dice, count: number): void {
  for (let n = bench.accepted.length, end = n + count; n < end; n++) {
    const seconds = dice.next() < 0.3 ? 0 : Math.round(dice.between(1, 200)) / 1000;
    const fails = n % 20 === 7;
    const retries = n % 40 === 7 ? 2 : 0;
    const ends = fails ? "jobfailed" : "jobdone";
    const status = fails ? 3 : n % 20 === 11 ? "checkpoint" : 0;
    bench.submit({ job: `job${n}`, ends, retries }, bench.line(seconds, status));
  }
  // And as many again in one file.
  bench.submitArray(`array${bench.accepted.length}`, count, bench.line(0));
}

describe("chaos: whatever is killed, whenever, nothing is lost", function () {
  this.timeout(Math.max(120_000, KILLS * 1500));
  this.slow(60_000);
  const local = benches();
  let bench = local;
  let dice: Dice;
  before(() => console.log(`    seed ${SEED}, ${KILLS} kills (FJORD_TEST_SEED, FJORD_CHAOS_KILLS)`));

  /** Strikes until there have been enough kills; jobs go on coming as long. Now and then all stands still, and is judged. */
  async function rage(crew: Crew, kills: number, strike: () => void | Promise<void>): Promise<void> {
    while (crew.kills < kills) {
      await delay(dice.between(20, 350));
      await strike();
      if (dice.next() < 0.1) await bench().judgeNow({ oneHost: true });
      crew.fill();
      if (bench().unended().length < 30) submitMany(bench(), dice, 15);
    }
  }

  async function judge(crew: Crew, kills: number): Promise<void> {
    expect(crew.kills).to.be.at.least(kills);
    await bench().untilEnded(90);
    await bench().closeDown();
  }

  it("workers, one at a time and all at once", async () => {
    dice = new Dice(SEED);
    submitMany(bench(), dice, 100);
    const crew = new Crew(bench(), dice, { workers: 4, dispatchers: 1 });
    await bench().onDuty(1);
    const kills = Math.round(KILLS * 0.35);
    await rage(crew, kills, () => (dice.next() < 0.8 ? crew.killWorker() : crew.killAllWorkers()));
    await judge(crew, kills);
  });

  it("dispatchers, with a standby behind each", async () => {
    dice = new Dice(SEED + 1);
    submitMany(bench(), dice, 100);
    const crew = new Crew(bench(), dice, { workers: 2, dispatchers: 2 });
    await bench().onDuty(1);
    const kills = Math.round(KILLS * 0.2);
    await rage(crew, kills, () => crew.killDispatcher());
    await judge(crew, kills);
  });

  /** Whatever can happen to a crew, at random. */
  function anything(crew: Crew): void | Promise<void> {
    const throwOf = dice.next();
    if (throwOf < 0.35) return crew.killWorker();
    if (throwOf < 0.6) return crew.killDispatcher();
    if (throwOf < 0.75) return crew.killRecruiter();
    if (throwOf < 0.83) return crew.dismissWorker();
    if (throwOf < 0.92) return crew.stopOne();
    return crew.killEverybody();
  }

  it("anybody: killed, stopped, fired, in the midst of a hire, everybody at once", async () => {
    dice = new Dice(SEED + 2);
    submitMany(bench(), dice, 100);
    const crew = new Crew(bench(), dice, { workers: 3, dispatchers: 2 });
    await bench().onDuty(1);
    const kills = Math.round(KILLS * 0.25);
    await rage(crew, kills, () => anything(crew));
    await judge(crew, kills);
  });

  describe("on a file system that is treated as a network's", () => {
    const remote = benches({ ...QUICK, store: "network", settle: "0.2 s", flush: "no" });

    it("anybody", async () => {
      bench = remote;
      dice = new Dice(SEED + 3);
      submitMany(bench(), dice, 60);
      const crew = new Crew(bench(), dice, { workers: 3, dispatchers: 2 });
      await bench().onDuty(1);
      const kills = Math.round(KILLS * 0.2);
      await rage(crew, kills, () => anything(crew));
      await judge(crew, kills);
    });
  });
});
