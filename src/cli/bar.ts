import type { Progress } from "../dispatcher/dispatcher.js";
import { formatDuration } from "../job/duration.js";

/** Characters of the bar itself. */
const WIDTH = 30;

/** `[#####.....] 12/100, 2 failed, 4 running, 3.1 s left`. */
export function barLine({ succeeded, failed, running, rate }: Progress, total: number): string {
  const ended = succeeded + failed;
  const full = total === 0 ? WIDTH : Math.floor((ended / total) * WIDTH);
  const parts = [`${ended}/${total}`];
  if (failed > 0) parts.push(`${failed} failed`);
  parts.push(`${running} running`);
  if (rate > 0 && ended < total) parts.push(`${formatDuration((total - ended) / rate)} left`);
  return `[${"#".repeat(full)}${".".repeat(WIDTH - full)}] ${parts.join(", ")}`;
}
