import fs from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Layout } from "../../src/project/layout.js";
import { type LedgerLine, parseLedger } from "../../src/spool/ledger.js";

/** Between two looks, ms. What is new is read, and nothing else: it costs the same however many jobs there are. */
const LOOKS_APART = 50;

/** Follows what workers write down: when jobs started and ended, ms since 1970, in the order of each worker's ledger. */
export class LedgerTail {
  readonly #layout: Layout;
  readonly #read = new Map<string, number>();
  readonly starts: number[] = [];
  readonly ends: number[] = [];

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  async untilStarted(): Promise<void> {
    for (this.look(); this.starts.length === 0; this.look()) await delay(LOOKS_APART);
  }

  async untilEnded(count: number): Promise<void> {
    for (this.look(); this.ends.length < count; this.look()) await delay(LOOKS_APART);
  }

  look(): void {
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
      const from = this.#read.get(file) ?? 0;
      const bytes = Buffer.alloc(fs.fstatSync(fd).size - from);
      fs.readSync(fd, bytes, 0, bytes.length, from);
      const whole = bytes.subarray(0, bytes.lastIndexOf("\n") + 1);
      this.#read.set(file, from + whole.length);
      return parseLedger(whole.toString("utf8"));
    } finally {
      fs.closeSync(fd);
    }
  }
}
