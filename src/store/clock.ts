/**
 * Time as one process sees it. The clock belongs to the store (`Store.clock`). Workers and dispatchers reach the system only
 * through the store, so a test that replaces the store controls the order of all events.
 *
 * Contract: `now` never goes back. No callback runs before its time, or before the function that set it has returned. Any
 * duration is allowed, and an infinite duration never ends.
 */
export interface Clock {
  /** Monotonic time in ms. Only values of the same clock may be compared. */
  now(): number;
  /**
   * Wall clock of this host, in ms since 1970. fjord shows this time to people and sets it on files. fjord never compares the
   * clocks of two hosts.
   */
  wall(): number;
  /** Resolves after `ms`, or when the signal aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls back once, after `ms`. @returns function that cancels the call */
  after(ms: number, call: () => void): () => void;
  /** Calls back every `ms`. @returns function that cancels the calls */
  every(ms: number, call: () => void): () => void;
}

/** Functions from which a clock is made: those of Node, or those of a test. */
export interface Timers<Timer> {
  /** Monotonic time in ms. */
  now(): number;
  set(call: () => void, ms: number): Timer;
  clear(timer: Timer): void;
}

/** Longest time of one timer, in ms. A longer timer fires at once (documentation of Node, `setTimeout`). */
export const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * Makes a clock. In fjord only this function makes timers. For a time that is too long for one timer, it sets several timers in a
 * row.
 */
export function clockOf<Timer>(timers: Timers<Timer>): Clock {
  const after = (ms: number, call: () => void) => {
    const due = timers.now() + ms;
    let timer: Timer;
    const arm = (left: number) => {
      timer =
        left > LONGEST_TIMER
          ? timers.set(() => arm(due - timers.now()), LONGEST_TIMER)
          : timers.set(call, left);
    };
    arm(ms);
    return () => timers.clear(timer);
  };
  return {
    now: () => timers.now(),
    wall: () => Date.now(),
    after,
    sleep(ms, signal) {
      if (signal?.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const end = () => {
          callOff();
          signal?.removeEventListener("abort", end);
          resolve();
        };
        const callOff = after(ms, end);
        signal?.addEventListener("abort", end);
      });
    },
    every(ms, call) {
      let callOff: () => void;
      const arm = () => {
        callOff = after(ms, () => {
          arm(); // sets the next timer first, because the callback may cancel the calls
          call();
        });
      };
      arm();
      return () => callOff();
    },
  };
}

/** Clock of this process. */
export const systemClock: Clock = clockOf({
  now: () => performance.now(),
  set: (call, ms) => setTimeout(call, ms),
  clear: (timer) => clearTimeout(timer),
});
