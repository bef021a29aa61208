import { isElsewhere } from "../spool/finish.js";
import type { OwnDesk } from "./desk.js";
import { type Duty, fence } from "./duty.js";
import type { Notes } from "./notes.js";

/** S7, S10: reads the desk and renews the heartbeat every `beat` seconds. */
export class Beats {
  readonly #duty: Duty;
  readonly #desk: OwnDesk;
  readonly #notes: Notes;
  readonly #stopTimer: () => void;
  /** Beat that is under way. No second one starts meanwhile, because the store is slow already. */
  #beating: Promise<void> | undefined;

  constructor(duty: Duty, desk: OwnDesk, notes: Notes) {
    this.#duty = duty;
    this.#desk = desk;
    this.#notes = notes;
    this.#stopTimer = duty.store.clock.every(duty.settings.beat * 1000, () => {
      this.#beating ??= this.#beat().finally(() => {
        this.#beating = undefined;
      });
    });
  }

  /** Resolves when no beat is under way. A late beat would announce a worker that has left. */
  async stop(): Promise<void> {
    this.#stopTimer();
    await this.#beating;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #beat(): Promise<void> {
    const { lane, heartbeat, runner, log } = this.#duty;
    try {
      const view = await this.#desk.read();
      if (view === undefined) return await this.#missDesk();
      void this.#notes.answer(view).catch(() => undefined);
      await this.#stopIfTaken(view.files);
      await heartbeat.renew();
      // Without a job the runner needs no deadline. It gets one when the next job begins.
      if (!lane.isEmpty) runner.current().renew(heartbeat.deadline);
      else runner.rest();
    } catch (error) {
      const { silence } = heartbeat;
      log.warn({ error: String(error), silence }, "missed a heartbeat");
      if (silence > heartbeat.deadline) await lane.stop({ kind: "fenced" });
    }
  }

  /** Nobody but the worker removes the desk of a worker that is clearing it. */
  async #missDesk(): Promise<void> {
    if (this.#duty.state.current.kind !== "clearing") await fence(this.#duty);
  }

  /** S10: stops a job whose file was moved from the desk to another place. */
  async #stopIfTaken(files: readonly string[]): Promise<void> {
    const { lane } = this.#duty;
    for (const { claimed } of [...lane.attempts]) {
      if (claimed === undefined || files.includes(claimed.file)) continue;
      // A job may delete its own file, and the attempt may have ended while the desk was read.
      const isTaken = await isElsewhere(this.#duty, claimed);
      if (isTaken && lane.has(claimed.file)) await lane.stop({ kind: "fenced" }, claimed.file);
    }
  }
}
