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
    status.dispatcher === undefined ? "nobody dispatches" : `dispatched on ${status.dispatcher.host}`,
  ].join(", ");
}

function counted(jobs: number, state: string): string {
  return paint(`${jobs} ${state}`, jobs > 0 ? colourOfState(state) : undefined);
}
