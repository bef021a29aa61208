import fs from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { processesOf } from "../checker/evidence.js";
import { type Bench, type Daemon, type Dice, kill, QUICK_LEASE, until } from "./harness.js";

const OUT_OF_STEP = new URL("out-of-step.js", import.meta.url);

/** The people of a project, whom a chaos loop kills and replaces. */
export class Crew {
  readonly #bench: Bench;
  readonly #dice: Dice;
  readonly #size: { workers: number; dispatchers: number };
  readonly #mayFail: boolean;
  #workers: Daemon[] = [];
  #dispatchers: Daemon[] = [];
  #clock: number;
  kills = 0;

  /**
   * @param options mayFail: they may end by themselves and with an error, since there is no room for them, say; ahead: what
   * their wall clocks are ahead by at first, ms
   */
  constructor(
    bench: Bench,
    dice: Dice,
    size: { workers: number; dispatchers: number },
    { mayFail = false, ahead = 0 } = {},
  ) {
    this.#bench = bench;
    this.#dice = dice;
    this.#size = size;
    this.#mayFail = mayFail;
    this.#clock = ahead;
    fs.writeFileSync(this.#orders, `${ahead} 0`);
    this.fill();
  }

  /** Puts new ones in the places of the dead. */
  fill(): void {
    const options = { env: this.#env, mayFail: this.#mayFail };
    const isThere = (daemon: Daemon) => daemon.isAlive();
    this.#workers = this.#workers.filter(isThere);
    this.#dispatchers = this.#dispatchers.filter(isThere);
    while (this.#workers.length < this.#size.workers) this.#workers.push(this.#bench.worker(options));
    while (this.#dispatchers.length < this.#size.dispatchers) {
      this.#dispatchers.push(this.#bench.dispatcher(options));
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
    const one = this.#dice.pick(this.#everybody);
    one.kill("SIGSTOP");
    await delay(this.#dice.between(0.3, 1.7) * QUICK_LEASE);
    one.kill("SIGCONT");
  }

  /** One's event loop stands still, for longer than its lease and its seat or not so long; its threads go on. */
  async stallOne(): Promise<void> {
    const stall = Math.round(this.#dice.between(0.3, 2.5) * QUICK_LEASE);
    this.#order(`${this.#clock} ${stall}`);
    await delay(stall);
  }

  /** All of these stand still for so long, ms. */
  async stall(who: "workers" | "dispatchers", ms: number): Promise<void> {
    fs.writeFileSync(this.#orders, `${this.#clock} ${ms}`);
    for (const one of who === "workers" ? this.#workers : this.#dispatchers) one.kill("SIGUSR2");
    await delay(ms);
  }

  /** One's wall clock jumps by up to two hours, back or forth; the others' stay. */
  jumpOne(): void {
    this.#clock = Math.round(this.#dice.between(-7_200_000, 7_200_000));
    this.#order(`${this.#clock} 0`);
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

  /** Until each has the files that it begins with. */
  async settled(): Promise<void> {
    await until("all have begun", () =>
      this.#everybody.every((one) => this.#hasBegun(one) || !one.isAlive()),
    );
  }

  /** A dispatcher dispatches or stands by, a worker is on duty. */
  #hasBegun({ pid, output }: Daemon): boolean {
    if (/Started on|standing by/.test(output)) return true;
    const bench = this.#bench;
    return bench
      .workers()
      .filter((id) => bench.has("jobpod", id, ".key"))
      .some((id) => bench.read("workerqueue", `${id}.ini`).includes(`pid = ${pid}\n`));
  }

  get #everybody(): Daemon[] {
    return [...this.#workers, ...this.#dispatchers];
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

  /** Who has not begun yet would die of the signal. */
  #order(text: string): void {
    const begun = this.#everybody.filter((one) => one.isAlive() && this.#hasBegun(one));
    if (begun.length === 0) return;
    fs.writeFileSync(this.#orders, text);
    this.#dice.pick(begun).kill("SIGUSR2");
  }

  get #orders(): string {
    return path.join(this.#bench.base, "out-of-step");
  }

  get #env(): NodeJS.ProcessEnv {
    const options = process.env.NODE_OPTIONS ?? "";
    return {
      NODE_OPTIONS: `${options} --import ${fileURLToPath(OUT_OF_STEP)}`.trim(),
      FJORD_TEST_OUT_OF_STEP: this.#orders,
    };
  }
}
