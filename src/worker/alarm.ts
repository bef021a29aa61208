import type { Clock } from "../store/clock.js";
import { WakeablePause } from "../store/wakeable-pause.js";

/** Ends the pauses of a worker's loop when something happens. */
export class Alarm {
  readonly #pause: WakeablePause;
  #hasRung = false;

  constructor(clock: Clock) {
    this.#pause = new WakeablePause(clock);
  }

  ring(): void {
    this.#hasRung = true;
    this.#pause.wake();
  }

  /** Forgets earlier rings. Reset before you read the desk, so that the alarm keeps a ring that comes meanwhile. */
  reset(): void {
    this.#hasRung = false;
  }

  /** Waits until the alarm rings or the time has passed. Returns at once if the alarm has rung since the last reset. */
  async wait(seconds: number): Promise<void> {
    if (!this.#hasRung) await this.#pause.wait(seconds * 1000);
  }
}
