import { Alarm } from "./alarm.js";
import { Beats } from "./beats.js";
import { OwnDesk } from "./desk.js";
import { appear, comeOnDuty, type Duty, goOffDuty, retryTrouble, type WorkerSetup } from "./duty.js";
import type { Heartbeat } from "./heartbeat.js";
import { JobLoop } from "./job-loop.js";
import type { Lane } from "./lane.js";
import { Notes } from "./notes.js";
import { type Leave, StateMachine } from "./state.js";

/** How a worker's duty ended. A worker that was `fenced`, which means declared lost, may come back under another id. */
export type DutyEnd = "left" | "fenced";

/** One worker, from its announcement to its withdrawal. */
export class Worker {
  readonly #setup: WorkerSetup;
  readonly #alarm: Alarm;
  readonly #state: StateMachine;
  #heartbeat: Heartbeat | undefined;
  #lane: Lane | undefined;

  constructor(setup: WorkerSetup) {
    this.#setup = setup;
    this.#alarm = new Alarm(setup.store.clock);
    this.#state = new StateMachine(() => {
      if (!this.#state.takesJobs) this.#alarm.ring();
    });
  }

  /** Announces the worker, runs jobs until it is dismissed or fenced, and leaves nothing behind. */
  async onDuty(): Promise<DutyEnd> {
    const presence = await appear(this.#setup, this.#state);
    this.#heartbeat = presence.heartbeat;
    this.#lane = presence.lane;
    try {
      const duty = await comeOnDuty(presence);
      if (duty !== undefined) await this.#work(duty);
    } finally {
      await presence.heartbeat.stop();
      await presence.runner.kill();
    }
    const { current } = this.#state;
    if (current.kind !== "clearing" && current.kind !== "fenced") {
      throw new Error(`a worker that is ${current.kind} cannot go off duty`);
    }
    await goOffDuty(presence, current.why);
    return current.kind === "fenced" ? "fenced" : "left";
  }

  /** Asks the worker to leave. A request that changes nothing is ignored. */
  dismiss(how: Leave, reason: string): void {
    if (!this.#state.leave(how, reason)) return;
    this.#setup.log.info({ how, reason }, "leaving");
    if (how === "now") void this.#lane?.stop({ kind: "fired" });
    else void this.#lane?.clear();
    void this.#heartbeat?.renew("ring").catch(() => undefined);
  }

  async #work(duty: Duty): Promise<void> {
    const dismiss = (how: Leave, reason: string) => this.dismiss(how, reason);
    const desk = new OwnDesk(duty, duty.id);
    const notes = new Notes(duty, desk, dismiss);
    await using loop = new JobLoop(duty, desk, notes, this.#alarm, dismiss);
    await using _beats = new Beats(duty, desk, notes);
    await loop.run();
    const { current } = this.#state;
    if (current.kind === "leaving") await this.#leave(duty, desk, current.why);
  }

  /** S4: puts the jobs on the desk back into the queue and removes the desk. */
  async #leave(duty: Duty, desk: OwnDesk, reason: string): Promise<void> {
    this.#state.clear(reason);
    await duty.heartbeat.renew("ring").catch(() => undefined);
    await retryTrouble(duty, () => desk.clear());
    duty.log.info({ reason }, "left");
  }
}
