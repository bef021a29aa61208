import type { Progress } from "../dispatcher/progress.js";
import { formatDuration } from "../job/duration.js";

type Counts = Pick<Progress, "succeeded" | "failed"> & Partial<Pick<Progress, "running" | "rate">>;

/** Characters of the bar itself. */
const WIDTH = 30;
/** Pauses between two frames in ms, on a terminal and elsewhere. */
const FRAMES_APART = 100;
const LINES_APART = 10_000;

/** `[#####.....] 12/100, 2 failed, 4 running, 3.1 s left`. */
function barLine({ succeeded, failed, running = 0, rate = 0 }: Counts, total: number): string {
  const ended = succeeded + failed;
  const full = total === 0 ? WIDTH : Math.floor((ended / total) * WIDTH);
  const parts = [`${ended}/${total}`];
  if (failed > 0) parts.push(`${failed} failed`);
  if (running > 0) parts.push(`${running} running`);
  if (rate > 0 && ended < total) parts.push(`${formatDuration((total - ended) / rate)} left`);
  return `[${"#".repeat(full)}${".".repeat(WIDTH - full)}] ${parts.join(", ")}`;
}

/**
 * Progress bar on standard error. On a terminal the bar is one line that is overwritten. Elsewhere, a new line is printed now and
 * then.
 */
export class Bar {
  readonly #isOn: boolean;
  readonly #total: number;
  #shownAt = Number.NEGATIVE_INFINITY;
  #isShown = false;

  constructor(isOn: boolean, total: number) {
    this.#isOn = isOn;
    this.#total = total;
  }

  show(progress: Counts): void {
    const { isTTY: isTerminal } = process.stderr;
    const now = performance.now();
    if (!this.#isOn || now - this.#shownAt < (isTerminal ? FRAMES_APART : LINES_APART)) return;
    this.#shownAt = now;
    this.#write(progress, "");
  }

  /** Removes the bar from the screen, so that other lines can be printed. */
  clear(): void {
    if (this.#isShown) process.stderr.write("\r\x1b[K");
    this.#isShown = false;
    this.#shownAt = process.stderr.isTTY ? Number.NEGATIVE_INFINITY : this.#shownAt;
  }

  /** Prints the last frame, which stays. */
  end(counts: Counts): void {
    if (this.#isOn) this.#write(counts, "\n");
    this.#isShown = false;
  }

  #write(counts: Counts, end: string): void {
    const line = barLine(counts, this.#total);
    if (!process.stderr.isTTY) process.stderr.write(`${line}\n`);
    else {
      process.stderr.write(`\r\x1b[K${line.slice(0, Math.max(1, (process.stderr.columns || 80) - 1))}${end}`);
      this.#isShown = true;
    }
  }
}
