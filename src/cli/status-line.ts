import { formatDuration } from "../job/duration.js";
import { formatRate } from "../report/progress.js";
import type { Status } from "../report/status.js";
import { colourOfState, paint } from "./colour.js";

/** A project in one line. */
export function statusLine(status: Status): string {
  const free = status.workers.filter((worker) => worker.state === "idle").length;
  return [
    `${status.waiting} waiting`,
    ...(status.retrying > 0 ? [`${status.retrying} retrying`] : []),
    ...(status.held > 0 ? [`${status.held} held`] : []),
    `${status.running} running`,
    counted(status.done, "done"),
    counted(status.failed, "failed"),
    ...(status.cancelled > 0 ? [`${status.cancelled} cancelled`] : []),
    `${free} of ${status.workers.length} workers free`,
    ...speed(status),
    status.dispatcher === undefined ? "nobody dispatches" : `dispatched on ${status.dispatcher.host}`,
  ].join(", ");
}

/** By what the workers' latest jobs took: how fast it goes, and how long it goes on. */
function speed({ waiting, retrying, running, workers }: Status): string[] {
  const busy = workers.filter(({ state, pace }) => state === "busy" && pace > 0);
  const rate = busy.reduce((sum, { pace }) => sum + 1 / pace, 0);
  if (rate === 0) return [];
  return [formatRate(rate), `${formatDuration((waiting + retrying + running) / rate)} left`];
}

function counted(jobs: number, state: string): string {
  return paint(`${jobs} ${state}`, jobs > 0 ? colourOfState(state) : undefined);
}
