import type { Runner } from "./runner.js";

/** The runner of one worker. A runner that is dead is replaced when the worker needs one. */
export class OwnRunner {
  readonly #start: () => Runner;
  #runner: Runner | undefined;

  constructor(start: () => Runner) {
    this.#start = start;
  }

  /** @throws ErrnoException EAGAIN when the system can start no process now */
  current(): Runner {
    if (!this.#runner?.isAlive) this.#runner = this.#start();
    return this.#runner;
  }

  /** S10: removes the runner's deadline, since no job runs. */
  rest(): void {
    this.#runner?.rest();
  }

  /** Tells the ends that have not been told. @returns number of jobs without an end */
  look(): number {
    return this.#runner?.look() ?? 0;
  }

  /** Lets no job begin behind the one that runs. Resolves when it is certain which job that is. */
  async skip(): Promise<void> {
    await this.#runner?.skip();
  }

  hasLeftovers(): boolean {
    return this.#runner?.hasLeftovers() ?? false;
  }

  /** Kills the runner and its job, and resolves when both are dead. */
  async kill(): Promise<void> {
    const runner = this.#runner;
    this.#runner = undefined;
    await runner?.kill();
  }
}
