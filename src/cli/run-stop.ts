import { shellWord } from "../job/shell-words.js";
import type { Project } from "../library/project.js";
import { EXIT, note, whenUnheard } from "./main.js";

/** Signals within this time (ms) count as one, because `timeout --foreground` and a terminal may both send the same signal. */
const ONE_SIGNAL = 300;
/** Longest time in ms to wait for workers that are being hired, because only a worker on duty can be fired. */
const HIRING = 5000;
/** Pause in ms between two attempts to fire these workers. */
const POLL = 50;

/** Actions for the signals that end a run. */
export interface OnSignal {
  readonly onFirst: () => void;
  /** This process ends when the action has ended. */
  readonly onSecond: () => Promise<void>;
}

/**
 * Returns a signal that aborts at the first Ctrl-C, or when the reader of standard output goes. Then all jobs are stopped. A
 * second Ctrl-C ends this process without waiting for the jobs. A third Ctrl-C ends it at once.
 */
export function stopSignal({ onFirst, onSecond }: OnSignal, giveUpPrinting: () => void): AbortSignal {
  const stop = new AbortController();
  let signals = 0;
  let last = Number.NEGATIVE_INFINITY;
  const onSignal = () => {
    if (performance.now() - last < ONE_SIGNAL) return;
    last = performance.now();
    signals++;
    if (signals > 2) process.exit(EXIT.interrupted);
    if (signals === 2) {
      onSecond()
        .catch((error) => note("fjord", (error as Error).message))
        .finally(() => process.exit(EXIT.interrupted));
      return;
    }
    onFirst();
    stop.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  whenUnheard(() => {
    giveUpPrinting();
    stop.abort();
  });
  return stop.signal;
}

/**
 * Tells all workers, by notes on their desks, to stop their jobs and to leave. The call does not wait until the workers have
 * left.
 *
 * @param toCome workers that have been hired and may not have come on duty yet
 */
export async function leaveToWorkers(project: Project, toCome: number): Promise<void> {
  const directory = shellWord(project.directory);
  note("fjord", `Ending at once. To stop workers that are left: recruiter fire --now --project ${directory}`);
  const until = performance.now() + HIRING;
  let fired = await project.fire({ now: true, patience: 0 });
  while (fired.length < toCome && performance.now() < until) {
    await project.store.clock.sleep(POLL);
    fired = await project.fire({ now: true, patience: 0 });
  }
  const left = fired.filter(({ end }) => end === "silent" || end === "finishing").length;
  const text = `Workers that are left: ${left}. They were told to stop their jobs and to go.`;
  note("fjord", left === 0 ? "No worker is left." : text);
}
