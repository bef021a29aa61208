import fs from "node:fs";
import path from "node:path";
import { kill, processesWith } from "../../test/rig/processes.js";

/** How long the processes of the benchmark may take to be gone, in looks of 20 ms. */
const LOOKS = 250;

/**
 * The benchmark's one directory. Whatever is started gets its path in the environment, so that everything can be found
 * and ended, however the benchmark ends. Removed at the very end only: ext4 gives out inodes slowly in the
 * seconds after many were freed, and the next measurement would pay for it.
 */
export class Scratch {
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  #count = 0;

  /** @param parent the directory to make it in */
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

  /** A directory of its own for one measurement. */
  make(name: string): string {
    const dir = path.join(this.root, `${name}-${++this.#count}`);
    fs.mkdirSync(dir);
    return dir;
  }

  #remove(): void {
    const pause = new Int32Array(new SharedArrayBuffer(4));
    for (let look = 0; look < LOOKS; look++) {
      const left = processesWith(this.root);
      if (left.length === 0) break;
      for (const { pid } of left) kill(pid, "SIGKILL");
      Atomics.wait(pause, 0, 0, 20);
    }
    fs.rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
  }
}
