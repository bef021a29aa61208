import fs from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type LedgerLine, parseLedger } from "../../src/ledger/line.js";
import type { Layout } from "../../src/project/layout.js";

/** Pause between two reads, in ms. A read only takes new lines, so it costs the same with any number of jobs. */
const PAUSE = 50;

/** Follows the ledgers and collects the starts and ends of jobs, in ms since 1970, in the order of each ledger. */
export class LedgerTail {
  readonly #layout: Layout;
  readonly #offsets = new Map<string, number>();
  readonly starts: number[] = [];
  readonly ends: number[] = [];

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  /** Waits until a job has started. */
  async untilStarted(): Promise<void> {
    for (this.read(); this.starts.length === 0; this.read()) await delay(PAUSE);
  }

  /** Waits until so many jobs have ended. */
  async untilEnded(count: number): Promise<void> {
    for (this.read(); this.ends.length < count; this.read()) await delay(PAUSE);
  }

  /** Reads the new lines of all ledgers. */
  read(): void {
    for (const file of fs.readdirSync(this.#layout.ledger)) {
      for (const line of this.#newLines(file)) {
        if (line.event === "started") this.starts.push(Date.parse(line.t));
        if (line.event === "ended") this.ends.push(Date.parse(line.t));
      }
    }
  }

  #newLines(file: string): LedgerLine[] {
    const fd = fs.openSync(path.join(this.#layout.ledger, file), "r");
    try {
      const from = this.#offsets.get(file) ?? 0;
      const bytes = Buffer.alloc(fs.fstatSync(fd).size - from);
      fs.readSync(fd, bytes, 0, bytes.length, from);
      const whole = bytes.subarray(0, bytes.lastIndexOf("\n") + 1);
      this.#offsets.set(file, from + whole.length);
      return parseLedger(whole.toString("utf8"));
    } finally {
      fs.closeSync(fd);
    }
  }
}
