import type { Layout } from "../../src/project/layout.js";
import type { Numbers } from "./numbers.js";
import type { Roll } from "./roll.js";
import type { Run } from "./runner.js";
import type { Server } from "./server.js";
import type { World } from "./world.js";

/** Compares what commands report with the real state at that moment. */
export class Told {
  readonly #world: World;
  readonly #server: Server;
  readonly #layout: Layout;
  readonly #roll: Roll;
  readonly #numbers: Numbers;
  readonly #runs: readonly Run[];

  constructor(
    world: World,
    server: Server,
    layout: Layout,
    roll: Roll,
    numbers: Numbers,
    runs: readonly Run[],
  ) {
    this.#world = world;
    this.#server = server;
    this.#layout = layout;
    this.#roll = roll;
    this.#numbers = numbers;
    this.#runs = runs;
  }

  /** An operator's command reports that these jobs are cancelled or held. */
  cancelledOrHeld(what: "cancel" | "hold", jobs: readonly string[]): void {
    const [room, part] = what === "cancel" ? ["jobcancelled", "array cancelled"] : ["jobheld", "array held"];
    for (const job of jobs) {
      const isThere =
        this.#server.find(`${this.#layout.root}/${room}/${job}.ini`) !== undefined ||
        this.#numbers.placeOf(job) === part;
      if (!isThere) this.#world.fail(`${what} was reported as done, but ${job} is not in ${room}`);
      const run = this.#runs.find((one) => one.job === job && one.end === undefined);
      if (run === undefined || this.#roll.hasReturned(run.worker)) continue;
      this.#world.fail(`${what} was reported as done, but ${job} still runs on ${run.worker}`);
    }
  }

  /** `recruiter fire` reports that this worker has left. */
  gone(worker: string): void {
    const run = this.#runs.find((one) => one.worker === worker && one.end === undefined);
    if (run !== undefined) this.#world.fail(`${worker} was reported as gone, but it runs ${run.job}`);
    for (const path of [this.#layout.announcement(worker), this.#layout.desk(worker)]) {
      if (this.#server.find(path) !== undefined)
        this.#world.fail(`${worker} was reported as gone, but this path exists: ${path}`);
    }
  }
}
