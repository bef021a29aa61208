import type { RunRequest } from "../../src/worker/command.js";
import type { Launcher, RunEnd } from "../../src/worker/launcher.js";
import type { Actor } from "./world.js";

/** One run of a job, as the job itself would tell it. Times are true. */
export interface Run {
  readonly job: string;
  readonly attempt: number;
  readonly worker: string;
  readonly start: number;
  /** When nothing of it lived any more; undefined while it runs. */
  end: number | undefined;
  /** Whether it came to its own end. */
  isComplete: boolean;
  /** With which it is to end. */
  readonly status: number;
}

/** How a run is to go. @returns ms and exit status; what it does at its own end */
export type Script = (
  worker: string,
  request: RunRequest,
) => {
  readonly takes: number;
  readonly status: number;
  readonly isDeaf: boolean;
  readonly atEnd?: () => void;
};

/**
 * Stands in for the launcher shell and its guardian: a job is time that passes. It is a process of its own: it goes on
 * when its worker is stopped, until the guardian's deadline; it ends with its worker when that is killed, as the guardian
 * sees to that.
 */
export class ModelLauncher implements Launcher {
  readonly group = "";
  readonly directory = "/";
  readonly #actor: Actor;
  readonly #worker: string;
  readonly #script: Script;
  readonly #runs: Run[];
  #isAlive = true;
  #running: { run: Run; isDeaf: boolean; end: (end: RunEnd) => void; callOff: () => void } | undefined;
  #deadline: (() => void) | undefined;

  constructor(actor: Actor, worker: string, script: Script, runs: Run[]) {
    this.#actor = actor;
    this.#worker = worker;
    this.#script = script;
    this.#runs = runs;
    actor.onDeath = () => this.#die(true);
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  run(request: RunRequest): Promise<RunEnd> {
    const { world } = this.#actor;
    const { takes, status, isDeaf, atEnd } = this.#script(this.#worker, request);
    const job = request.environment.FJORD_JOB ?? "";
    const attempt = Number(request.environment.FJORD_ATTEMPT);
    const run: Run = {
      job,
      attempt,
      worker: this.#worker,
      start: world.time,
      end: undefined,
      isComplete: false,
      status,
    };
    this.#runs.push(run);
    world.note(`${this.#actor.name}: job ${job} attempt ${attempt} starts`);
    return new Promise((resolve) => {
      // What the shell says, its worker hears when it is not stopped.
      const end = (how: RunEnd) => void world.after(0, () => resolve(how), this.#actor);
      if (!this.#isAlive) return end({ kind: "shell-died", byGuardian: false });
      const callOff = world.after(takes, () => {
        atEnd?.();
        this.#end({ kind: "exited", status, cpu: null }, true);
      });
      this.#running = { run, isDeaf, end, callOff };
    });
  }

  signal(signal: NodeJS.Signals): void {
    if (signal === "SIGKILL") this.#die(false);
    else if (signal === "SIGTERM" && this.#running?.isDeaf === false) {
      this.#end({ kind: "exited", status: 143, cpu: null }, false);
    }
  }

  watch(deadline: number): void {
    if (this.#deadline === undefined) this.renew(deadline);
  }

  /** By true time: the guardian's clock is its host's, and no host's runs wrong by a beat within a lease. */
  renew(deadline: number): void {
    this.rest();
    this.#deadline = this.#actor.world.after(deadline * 1000, () => {
      this.#actor.world.note(`${this.#actor.name}: its guardian has heard nothing`);
      this.#die(true);
    });
  }

  rest(): void {
    this.#deadline?.();
    this.#deadline = undefined;
  }

  watchMemory(): { stop(): null } {
    return { stop: () => null };
  }

  hasLeftovers(): boolean {
    return false;
  }

  async kill(): Promise<void> {
    this.#die(false);
  }

  #die(byGuardian: boolean): void {
    this.rest();
    this.#isAlive = false;
    this.#end({ kind: "shell-died", byGuardian }, false);
  }

  #end(end: RunEnd, isComplete: boolean): void {
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    running.callOff();
    running.run.end = this.#actor.world.time;
    running.run.isComplete = isComplete;
    this.#actor.world.note(`${this.#actor.name}: job ${running.run.job} ends`);
    running.end(end);
  }
}
