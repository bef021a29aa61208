import { formatDuration } from "../job/duration.js";
import { speedOf } from "../report/speed.js";
import type { Status } from "../report/status.js";
import { hostName } from "../spool/identity.js";
import { colourOfState, paint } from "./colour.js";
import { formatRate } from "./progress-line.js";

/** The state of a project in one line. */
export function statusLine(status: Status): string {
  const alive = status.workers.filter(({ state }) => state !== "dead");
  const free = alive.filter(({ state }) => state === "idle").length;
  return [
    `${status.waiting} waiting`,
    ...(status.retrying > 0 ? [`${status.retrying} retrying`] : []),
    ...(status.held > 0 ? [`${status.held} held`] : []),
    `${status.running} running`,
    counted(status.done, "done"),
    counted(status.failed, "failed"),
    ...(status.cancelled > 0 ? [`${status.cancelled} cancelled`] : []),
    `${free} of ${alive.length} workers free`,
    ...speed(status),
    status.dispatcher === undefined ? "nobody dispatches" : `dispatched on ${status.dispatcher.host}`,
  ].join(", ");
}

/** Jobs per second, and the time until all jobs have ended if it is known. */
function speed({ waiting, retrying, running, workers }: Status): string[] {
  const found = speedOf(workers, waiting + retrying + running, hostName(), Date.now());
  if (found === undefined) return [];
  const { rate, left } = found;
  return [formatRate(rate), ...(left === undefined ? [] : [`${formatDuration(left)} left`])];
}

function counted(jobs: number, state: string): string {
  return paint(`${jobs} ${state}`, jobs > 0 ? colourOfState(state) : undefined);
}
