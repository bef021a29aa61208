import { spawn } from "node:child_process";
import { once } from "node:events";

/** A process that opens, writes, moves and closes files when the test says so. */
export class Scribe {
  readonly #shell = spawn("/bin/sh", { stdio: ["pipe", "pipe", "inherit"] });

  get pid(): number {
    return this.#shell.pid ?? 0;
  }

  /** Carries out a line of shell, and returns when that is done. */
  async does(line: string): Promise<void> {
    const answer = once(this.#shell.stdout, "data");
    this.#shell.stdin.write(`${line}\necho done\n`);
    await answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exit = once(this.#shell, "exit");
    this.#shell.kill("SIGKILL");
    await exit;
  }
}
