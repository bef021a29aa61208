import type { Runner } from "./runner.js";

/** The runner of one worker. A runner that is dead is replaced when the worker needs one. */
export class OwnRunner {
  readonly #start: () => Runner;
  readonly #announce: () => Promise<void>;
  #runner: Runner | undefined;
  /** Whether others know the runner's process group. */
  #isAnnounced = false;

  /** @param announce writes the process group of the runner into the announcement */
  constructor(start: () => Runner, announce: () => Promise<void>) {
    this.#start = start;
    this.#announce = announce;
  }

  /** @throws ErrnoException EAGAIN when the system can start no process now */
  current(): Runner {
    if (this.#runner?.isAlive) return this.#runner;
    this.#isAnnounced = false;
    this.#runner = this.#start();
    return this.#runner;
  }

  /**
   * S8: makes sure that there is a runner whose process group is announced. Who reclaims this worker's jobs kills the announced
   * group before it reads the ledger, since the group may go on for a moment when the worker is dead.
   *
   * @throws ErrnoException when the store takes no announcement, or when the system can start no process now
   */
  async assure(): Promise<void> {
    const runner = this.current();
    if (this.isAssured) return;
    await this.#announce();
    this.#isAnnounced = runner === this.#runner;
  }

  /** Whether there is a runner whose process group is announced. */
  get isAssured(): boolean {
    return this.#isAnnounced && this.#runner?.isAlive === true;
  }

  /** Whether the runner can skip jobs, so that it may have several. */
  get canSkip(): boolean {
    return this.#runner?.canSkip === true;
  }

  signal(signal: NodeJS.Signals): void {
    this.#runner?.signal(signal);
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
