import { randomUUID } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { execaSync } from "execa";
import { shellQuote } from "../job/shell-words.js";
import { isErrno } from "../store/store.js";

/** Bytes that one call reads. An answer has a few bytes. */
const CHUNK = 4096;

/**
 * Pipe through which a launcher shell says how its jobs ended. The worker reads it when it wants to, and no answer wakes the
 * worker. Node's own pipes to a child wake it for each line, which costs more than the rest of the work for a short job.
 *
 * It is a FIFO, because Node cannot make a pipe without a stream on it. The shell removes its name when both have opened it.
 */
export class AnswerPipe {
  readonly #name: string;
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafeSlow(CHUNK);
  /** Commands with which the shell opens the pipe as its descriptor 3. */
  readonly prologue: string;

  private constructor(name: string, fd: number) {
    this.#name = name;
    this.#fd = fd;
    this.prologue = `exec 3>${shellQuote(name)}; command rm -f ${shellQuote(name)}\n`;
  }

  /** @returns undefined where no FIFO can be made */
  static make(): AnswerPipe | undefined {
    const name = path.join(os.tmpdir(), `fjord-${randomUUID()}`);
    try {
      execaSync("mkfifo", ["-m", "600", name], { stdio: "ignore" });
      return new AnswerPipe(name, fs.openSync(name, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK));
    } catch {
      fs.rmSync(name, { force: true });
      return undefined;
    }
  }

  /** Text that has come since the last call; empty if there is none. */
  read(): string {
    let text = "";
    for (;;) {
      try {
        const n = fs.readSync(this.#fd, this.#buffer, 0, CHUNK, null);
        text += this.#buffer.toString("latin1", 0, n);
        if (n < CHUNK) return text;
      } catch (error) {
        if (isErrno(error, "EAGAIN")) return text;
        throw error;
      }
    }
  }

  close(): void {
    fs.closeSync(this.#fd);
    fs.rmSync(this.#name, { force: true }); // a shell that died early has not removed it
  }
}
