/**
 * Time as one process sees it. It comes with the store (`Store.clock`): the two together are all that an actor of the
 * protocol sees of the world, so a test that stands in for both decides what happens when.
 *
 * Contract: `now` never goes back; nothing is called before its time is up, nor before the caller has returned.
 */
export interface Clock {
  /** Monotonic, ms; compared with nothing but itself. */
  now(): number;
  /** The host's wall clock, ms since 1970: shown, and put on files; of two hosts never compared. */
  wall(): number;
  /** Comes back after so many ms, or when it is aborted; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls once, after so many ms. @returns calls it off */
  after(ms: number, call: () => void): () => void;
  /** Calls every so many ms. @returns calls it off */
  every(ms: number, call: () => void): () => void;
}

/** The process's own. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  sleep(ms, signal) {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal?.addEventListener("abort", end);
    });
  },
  after(ms, call) {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
  every(ms, call) {
    const timer = setInterval(call, ms);
    return () => clearInterval(timer);
  },
};
