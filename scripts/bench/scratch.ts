import fs from "node:fs";
import path from "node:path";
import { kill, processesWith } from "../../test/rig/processes.js";

/** Number of attempts to kill the processes of the bench, 20 ms apart. */
const ATTEMPTS = 250;

/**
 * The bench's temporary directory. All processes get its path in their environment, so that they can be found and killed at
 * the end. The directory is removed only at the end, because ext4 is slow to find inodes right after many were freed. The
 * next measurement would be slower.
 */
export class Scratch {
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  #count = 0;

  /** @param parent directory in which the temporary directory is made */
  constructor(parent: string) {
    fs.mkdirSync(parent, { recursive: true });
    this.root = fs.realpathSync(fs.mkdtempSync(path.join(parent, "fjord-bench-")));
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith("FJORD_"));
    this.env = { ...Object.fromEntries(own), FJORD_BENCH: this.root };
    process.once("exit", () => this.#remove());
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.once(signal, () => process.exit(signal === "SIGINT" ? 130 : 143));
    }
  }

  /** Makes a directory for one measurement. */
  make(name: string): string {
    const dir = path.join(this.root, `${name}-${++this.#count}`);
    fs.mkdirSync(dir);
    return dir;
  }

  #remove(): void {
    const pause = new Int32Array(new SharedArrayBuffer(4));
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const left = processesWith(this.root);
      if (left.length === 0) break;
      for (const { pid } of left) kill(pid, "SIGKILL");
      Atomics.wait(pause, 0, 0, 20);
    }
    fs.rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
  }
}
