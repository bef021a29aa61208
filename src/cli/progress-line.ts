import type { Progress } from "../dispatcher/progress.js";
import { formatDuration } from "../job/duration.js";

/** Seconds until all waiting and running jobs have ended, at the current rate; undefined while the rate is unknown. */
function timeLeft({ waiting, running, rate }: Progress): number | undefined {
  return rate > 0 ? (waiting + running) / rate : undefined;
}

/** `12/s`, `1.5/s`, `40.0/min`. */
export function formatRate(rate: number): string {
  if (rate >= 10) return `${Math.round(rate)}/s`;
  if (rate >= 1) return `${rate.toFixed(1)}/s`;
  return `${(rate * 60).toFixed(1)}/min`;
}

/** The state of a dispatcher's jobs and workers in one line. */
export function progressLine(progress: Progress): string {
  const left = timeLeft(progress);
  const parts = [
    `${progress.waiting} waiting`,
    `${progress.running} running`,
    `${progress.succeeded} done`,
    `${progress.failed} failed`,
    `${progress.free} of ${progress.workers} workers free`,
  ];
  if (progress.rate > 0) parts.push(formatRate(progress.rate));
  if (left !== undefined && left > 0) parts.push(`${formatDuration(left)} left`);
  return parts.join(", ");
}
