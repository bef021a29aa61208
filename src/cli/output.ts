import fs from "node:fs";
import { Writable } from "node:stream";
import { errnoOf } from "../store/errno.js";
import { writeAllSync } from "../store/write-all.js";

/** Callbacks for errors of standard output. Each callback may be called several times. */
export interface OutputWatch {
  /** The reader has gone, or the terminal was closed. */
  readonly onGone: () => void;
  /** The output cannot be written, because the disk is full, or for another reason. */
  readonly onFailure: (error: Error) => void;
}

/**
 * Watches standard output. Text that cannot be written to standard error is dropped. After this call, neither stream throws. Call
 * this function before any text is printed.
 */
export function watchOutput({ onGone, onFailure }: OutputWatch): void {
  watch("stdout", (error) => (isGone(error) ? onGone() : onFailure(error)));
  watch("stderr", () => undefined);
}

function watch(name: "stdout" | "stderr", onError: (error: Error) => void): void {
  const stream = process[name];
  if (stream.isTTY || isPipe(stream.fd)) stream.on("error", onError);
  else Object.defineProperty(process, name, { configurable: true, value: fileOutput(stream.fd, onError) });
}

function isPipe(fd: number): boolean {
  const stat = fs.fstatSync(fd);
  return stat.isFIFO() || stat.isSocket();
}

/**
 * Makes a stream that writes all text to a file, or calls `onError` before `write` returns. Node's own stream loses the rest
 * after a short write(2), as on a disk that becomes full. It also reports other errors too late for a command that ends at once.
 */
function fileOutput(fd: number, onError: (error: Error) => void): Writable {
  const stream = new Writable({
    write(bytes: Buffer, _encoding, done) {
      try {
        writeAllSync(fd, "output", bytes, null);
      } catch (error) {
        onError(error as Error); // `done(error)` would end the stream, but there may be space for the daemon's next line
      }
      done();
    },
  });
  return Object.assign(stream, { fd });
}

/**
 * Whether nobody reads the output any more. On a terminal, EIO means that the terminal was closed. Elsewhere it means that the
 * disk failed.
 */
function isGone(error: Error): boolean {
  const name = errnoOf(error);
  return name === "EPIPE" || name === "ECONNRESET" || (name === "EIO" && process.stdout.isTTY === true);
}
