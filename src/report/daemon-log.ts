import fs from "node:fs";
import pino from "pino";
import { openToAppend } from "../project/open-to-append.js";

/** Where dispatcher and workers tell what they do, beside the terminal: JSON lines by pino. */
export interface DaemonLog {
  readonly logger: pino.Logger;
  /** To be called now and then: starts a new file when this one has grown. */
  rotate(): void;
  close(): void;
}

const LARGEST = 4 * 1024 * 1024;
const KEPT = 3;
/** What was opened before a server went away may never work again: the file is opened anew, once in so long (ms). */
const REOPENED_APART = 1000;

/**
 * Opens a daemon's log; an unknown level counts as `info`. When it has grown over `largest` bytes it becomes `FILE.1`, the older ones move up, and
 * at most three are kept. `mode` is that of new files. A log that cannot be written (a full disk) is no reason to stop working.
 */
export function openDaemonLog(file: string, level: string, largest = LARGEST, mode = 0o666): DaemonLog {
  makeLog(file, mode);
  const destination = pino.destination({ dest: file, sync: true, append: true, mkdir: true, mode });
  let reopened = Number.NEGATIVE_INFINITY;
  destination.on("error", () => {
    const now = performance.now();
    if (now - reopened < REOPENED_APART) return;
    reopened = now;
    try {
      makeLog(file, mode);
      destination.reopen();
    } catch {
      // a later line tries again
    }
  });
  const logger = pino(
    { level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
    destination,
  );
  return {
    logger,
    rotate() {
      try {
        if (fs.statSync(file).size < largest) return;
        for (let n = KEPT - 1; n >= 1; n--) {
          if (fs.existsSync(`${file}.${n}`)) fs.renameSync(`${file}.${n}`, `${file}.${n + 1}`);
        }
        fs.renameSync(file, `${file}.1`);
        makeLog(file, mode);
        destination.reopen();
      } catch {
        // gone or full: the next call tries again
      }
    },
    close() {
      // Every line has been written when it was logged, or could not be: to flush it would wait until it can.
      destination.destroy();
    },
  };
}

/** pino would follow a symlink that somebody has put there. */
function makeLog(file: string, mode: number): void {
  try {
    fs.closeSync(openToAppend(file, mode));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ELOOP") throw error;
  }
}
