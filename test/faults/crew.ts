import fs from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { RunningCommand } from "../rig/command.js";
import type { Dice } from "../rig/dice.js";
import { kill, processesWith } from "../rig/processes.js";
import { until } from "../rig/until.js";
import { QUICK_LEASE, type WitnessedProject } from "./witnessed-project.js";

const OUT_OF_STEP = new URL("out-of-step.js", import.meta.url);

/** The workers and dispatchers of a project. A chaos loop kills them, and the crew replaces them. */
export class Crew {
  readonly #project: WitnessedProject;
  readonly #dice: Dice;
  readonly #size: { workers: number; dispatchers: number };
  readonly #mayFail: boolean;
  #workers: RunningCommand[] = [];
  #dispatchers: RunningCommand[] = [];
  #clock: number;
  kills = 0;

  /**
   * @param options mayFail: whether the processes may end with an error, for example because the disk is full. ahead:
   * time in ms by which their wall clocks are ahead at first.
   */
  constructor(
    project: WitnessedProject,
    dice: Dice,
    size: { workers: number; dispatchers: number },
    { mayFail = false, ahead = 0 } = {},
  ) {
    this.#project = project;
    this.#dice = dice;
    this.#size = size;
    this.#mayFail = mayFail;
    this.#clock = ahead;
    fs.writeFileSync(this.#orders, `${ahead} 0`);
    this.fill();
  }

  /** Starts a new process for each dead one. */
  fill(): void {
    const options = { env: this.#env, mayFail: this.#mayFail };
    const isThere = (daemon: RunningCommand) => daemon.isAlive;
    this.#workers = this.#workers.filter(isThere);
    this.#dispatchers = this.#dispatchers.filter(isThere);
    while (this.#workers.length < this.#size.workers) this.#workers.push(this.#project.worker(options));
    while (this.#dispatchers.length < this.#size.dispatchers) {
      this.#dispatchers.push(this.#project.dispatcher(options));
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

  /** Fires a worker, which stops its job and leaves. */
  dismissWorker(): void {
    const worker = this.#dice.pick(this.#workers);
    worker.kill("SIGTERM");
    worker.kill("SIGTERM");
    this.#workers = this.#workers.filter((daemon) => daemon !== worker);
  }

  /** Stops a process for 0.3 to 1.7 leases. */
  async stopOne(): Promise<void> {
    const one = this.#dice.pick(this.#everybody);
    one.kill("SIGSTOP");
    await delay(this.#dice.between(0.3, 1.7) * QUICK_LEASE);
    one.kill("SIGCONT");
  }

  /** Blocks the event loop of one process for 0.3 to 2.5 leases. Its threads go on. */
  async stallOne(): Promise<void> {
    const stall = Math.round(this.#dice.between(0.3, 2.5) * QUICK_LEASE);
    this.#order(`${this.#clock} ${stall}`);
    await delay(stall);
  }

  /** Blocks the event loops of all workers or all dispatchers. @param ms how long */
  async stall(who: "workers" | "dispatchers", ms: number): Promise<void> {
    fs.writeFileSync(this.#orders, `${this.#clock} ${ms}`);
    for (const one of who === "workers" ? this.#workers : this.#dispatchers) one.kill("SIGUSR2");
    await delay(ms);
  }

  /** Sets the wall clock of one process up to two hours ahead or back. */
  jumpOne(): void {
    this.#clock = Math.round(this.#dice.between(-7_200_000, 7_200_000));
    this.#order(`${this.#clock} 0`);
  }

  killEverybody(): void {
    this.#kill([...this.#workers, ...this.#dispatchers]);
  }

  /** Kills a recruiter in the middle of a hire, and then the workers that it has hired. */
  async killRecruiter(): Promise<void> {
    const recruiter = this.#project.command("recruiter", ["hire", "2"]);
    await delay(this.#dice.between(100, 900));
    this.#kill([recruiter]);
    await recruiter.exit;
    // Hired workers are not children of the test. Too many of them would only slow down the test.
    const ours = new Set(this.#workers.map((daemon) => daemon.pid));
    for (const { pid, command } of processesWith(this.#project.directory)) {
      if (!/bin\/hired-worker\.js/.test(command) || ours.has(pid)) continue;
      kill(pid);
      this.kills++;
    }
  }

  /** Waits until each process has made the files that it makes at its start. */
  async settled(): Promise<void> {
    await until("all processes have begun", () =>
      this.#everybody.every((one) => this.#hasBegun(one) || !one.isAlive),
    );
  }

  /** Whether a dispatcher dispatches or stands by, or a worker is on duty. */
  #hasBegun({ pid, output }: RunningCommand): boolean {
    if (/Started on|standing by/.test(output)) return true;
    const project = this.#project;
    return project.workers
      .filter((id) => project.has("jobpod", id, ".key"))
      .some((id) => project.read("workerqueue", `${id}.ini`).includes(`pid = ${pid}\n`));
  }

  get #everybody(): RunningCommand[] {
    return [...this.#workers, ...this.#dispatchers];
  }

  #kill(victims: readonly RunningCommand[]): void {
    for (const victim of victims) {
      if (!victim.isAlive) continue;
      victim.kill();
      this.kills++;
    }
    this.#workers = this.#workers.filter((daemon) => !victims.includes(daemon));
    this.#dispatchers = this.#dispatchers.filter((daemon) => !victims.includes(daemon));
  }

  /** Writes an order and sends a signal to one process. The signal would kill a process that has not begun yet. */
  #order(text: string): void {
    const begun = this.#everybody.filter((one) => one.isAlive && this.#hasBegun(one));
    if (begun.length === 0) return;
    fs.writeFileSync(this.#orders, text);
    this.#dice.pick(begun).kill("SIGUSR2");
  }

  get #orders(): string {
    return path.join(this.#project.root, "out-of-step");
  }

  get #env(): NodeJS.ProcessEnv {
    const options = process.env.NODE_OPTIONS ?? "";
    return {
      NODE_OPTIONS: `${options} --import ${fileURLToPath(OUT_OF_STEP)}`.trim(),
      FJORD_TEST_OUT_OF_STEP: this.#orders,
    };
  }
}
