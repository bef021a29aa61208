import type { Clock } from "./clock.js";

/** A pause of a loop that another part of the process can end early. Only one pause may run at a time. */
export class WakeablePause {
  readonly #clock: Clock;
  #end: () => void = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Waits until the time has passed, or until `wake` is called. */
  async wait(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const callOff = this.#clock.after(ms, resolve);
      this.#end = () => {
        callOff();
        resolve();
      };
    });
    this.#end = () => undefined;
  }

  /** Ends the current pause. Without a current pause, the call does nothing and does not shorten a later pause. */
  wake(): void {
    this.#end();
  }
}
