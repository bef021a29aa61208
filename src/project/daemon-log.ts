import fs from "node:fs";
import pino from "pino";
import { openToAppend } from "./open-to-append.js";

/** Log of a dispatcher or worker: JSON lines that pino writes. */
export interface DaemonLog {
  readonly logger: pino.Logger;
  /** Starts a new log file if the current one has become too long. The daemon must call this from time to time. */
  rotate(): void;
  close(): void;
}

/** Time between two calls of `rotate`, ms. */
export const ROTATION_LOOKS_APART = 60_000;
const LARGEST = 4 * 1024 * 1024;
const KEPT = 3;
/**
 * Shortest time in ms between two attempts to open the log again. This is needed because a file handle may stop working for ever
 * after its server was away.
 */
const REOPENED_APART = 1000;

/**
 * Opens the log of a daemon. A log that cannot be written, for example on a full disk, does not stop the daemon.
 *
 * @param largest size in bytes above which `FILE` becomes `FILE.1`, `FILE.1` becomes `FILE.2` and so on; three old files are
 * kept
 * @param mode mode of new files
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
      // the next line that fails tries again
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
        // The file is gone or the disk is full. The next call tries again.
      }
    },
    close() {
      // Each line has been written, or its write has failed, when it was logged. A flush would wait until a failed write
      // succeeds.
      destination.destroy();
    },
  };
}

/** Creates the file without following a symbolic link, which pino would follow. */
function makeLog(file: string, mode: number): void {
  try {
    fs.closeSync(openToAppend(file, mode));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ELOOP") throw error;
  }
}
