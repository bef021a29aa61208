import type { RunRequest } from "../../src/worker/command.js";
import type { RunEnd, Runner } from "../../src/worker/runner.js";
import type { Actor } from "./world.js";

/** One run of a job, as the job itself would report it. Times are true. */
export interface Run {
  readonly job: string;
  readonly attempt: number;
  readonly worker: string;
  readonly start: number;
  /** When its last process ended. Undefined while it runs. */
  end: number | undefined;
  /** Whether it came to its own end. */
  isComplete: boolean;
  /** Exit code that the run has at its own end. */
  readonly status: number;
}

/**
 * Decides how a run goes. @returns duration in ms, exit status, whether it ignores SIGTERM, and what it does at its
 * own end
 */
export type Script = (
  worker: string,
  request: RunRequest,
) => {
  readonly takes: number;
  readonly status: number;
  readonly isDeaf: boolean;
  readonly atEnd?: () => void;
};

/** A job that the runner has. */
interface Queued {
  readonly request: RunRequest;
  readonly tell: (end: RunEnd) => void;
  /** Whether the worker hears of the end at once. */
  wakes: boolean;
}

/** The job that runs. */
interface Running {
  readonly run: Run;
  readonly isDeaf: boolean;
  readonly callOff: () => void;
}

/**
 * Takes the place of the launcher shell and its guardian. A job here is only time that passes. The runner is a process of its
 * own. It goes on while its worker is stopped, until the guardian's deadline. It ends when its worker is killed, because the
 * guardian kills it then.
 */
export class ModelRunner implements Runner {
  readonly group = "";
  readonly directory = "/";
  readonly #actor: Actor;
  readonly #worker: string;
  readonly #script: Script;
  readonly #runs: Run[];
  /** Appends the line `started` to the worker's ledger. @returns false if the store refuses it */
  readonly #append: (line: string) => boolean;
  #isAlive = true;
  readonly #queue: Queued[] = [];
  /** The ends that the worker has not read. */
  #answers: (() => void)[] = [];
  /** Number of jobs that have no end, as far as the worker knows. */
  #open = 0;
  #running: Running | undefined;
  #deadline: (() => void) | undefined;

  constructor(actor: Actor, worker: string, script: Script, runs: Run[], append: (line: string) => boolean) {
    this.#actor = actor;
    this.#worker = worker;
    this.#script = script;
    this.#runs = runs;
    this.#append = append;
    actor.onDeath = () => this.#die(true);
  }

  readonly canSkip = true;

  get isAlive(): boolean {
    return this.#isAlive;
  }

  run(requests: readonly RunRequest[]): Promise<RunEnd>[] {
    const ends = requests.map(
      (request, index) =>
        new Promise<RunEnd>((tell) => {
          this.#open++;
          this.#queue.push({ request, tell, wakes: index === requests.length - 1 });
        }),
    );
    if (!this.#isAlive) this.#die(false);
    else if (this.#running === undefined) this.#next();
    return ends;
  }

  look(): number {
    for (const answer of this.#answers.splice(0)) answer();
    return this.#open;
  }

  /** Here it is certain at once which job runs. */
  async skip(): Promise<void> {
    this.look();
    for (const queued of this.#queue.splice(this.#running === undefined ? 0 : 1)) {
      this.#open--;
      queued.tell({ kind: "skipped" });
    }
    // The shell passes over the others as soon as the job has ended, and comes to the end of the row.
    for (const queued of this.#queue) queued.wakes = true;
  }

  /** Begins the next job, if there is one. */
  #next(): void {
    const { world } = this.#actor;
    const [queued] = this.#queue;
    if (queued === undefined) return;
    const { request } = queued;
    if (!this.#append(request.started)) {
      this.#answer({ kind: "unrecorded" });
      return;
    }
    const { takes, status, isDeaf, atEnd } = this.#script(this.#worker, request);
    const job = request.environment.FJORD_JOB ?? "";
    const attempt = Number(request.environment.FJORD_ATTEMPT);
    const start = world.time;
    const run: Run = { job, attempt, worker: this.#worker, start, end: undefined, isComplete: false, status };
    this.#runs.push(run);
    world.note(`${this.#actor.name}: job ${job} attempt ${attempt} starts`);
    const callOff = world.after(takes, () => {
      atEnd?.();
      this.#exit(status, true);
    });
    this.#running = { run, isDeaf, callOff };
  }

  /** The first job has ended. The worker hears of it when it looks, and at the latest when its whole row has ended. */
  #answer(end: RunEnd): void {
    const queued = this.#queue.shift();
    this.#answers.push(() => {
      this.#open--;
      queued?.tell(end);
    });
    // The worker hears the shell only while it is not stopped.
    if (queued?.wakes) this.#actor.world.after(0, () => void this.look(), this.#actor);
    this.#next();
  }

  describeKill(): string {
    return "killed";
  }

  signal(signal: NodeJS.Signals): void {
    if (signal === "SIGKILL") this.#die(false);
    else if (signal === "SIGTERM" && this.#running?.isDeaf === false) this.#exit(143, false);
  }

  watch(deadline: number): void {
    if (this.#deadline === undefined) this.renew(deadline);
  }

  /**
   * Sets the deadline in true time. The guardian uses its host's clock, and no clock is wrong by a beat within a
   * lease.
   */
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
    const running = this.#finish(false);
    const [first, ...others] = this.#queue.splice(0);
    const hear = () => {
      this.look();
      for (const queued of others) queued.tell({ kind: "skipped" });
      first?.tell(running ? { kind: "shell-died", byGuardian } : { kind: "skipped" });
    };
    this.#open = 0;
    this.#actor.world.after(0, hear, this.#actor);
  }

  #exit(status: number, isComplete: boolean): void {
    const run = this.#finish(isComplete);
    if (run === undefined) return;
    const seconds = (this.#actor.world.time - run.start) / 1000;
    this.#answer({ kind: "exited", status, cpu: null, seconds, end: this.#actor.clock.now() });
  }

  /** @returns the run that has ended; undefined if none ran */
  #finish(isComplete: boolean): Run | undefined {
    const running = this.#running;
    if (running === undefined) return undefined;
    this.#running = undefined;
    running.callOff();
    running.run.end = this.#actor.world.time;
    running.run.isComplete = isComplete;
    this.#actor.world.note(`${this.#actor.name}: job ${running.run.job} ends`);
    return running.run;
  }
}
