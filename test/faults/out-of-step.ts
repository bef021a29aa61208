import fs from "node:fs";

/**
 * Loaded before a daemon's own code (NODE_OPTIONS): on SIGUSR2 its wall clock jumps, then its event loop stands still. By
 * how much says the file that FJORD_TEST_OUT_OF_STEP names: `AHEAD STALL`, ms. Its monotonic clock goes on as it did.
 */
const orders = process.env.FJORD_TEST_OUT_OF_STEP;
const RealDate = Date;
let ahead = 0;

class Skewed extends RealDate {
  constructor(...args: unknown[]) {
    if (args.length === 0) super(Skewed.now());
    else super(...(args as [number]));
  }

  static override now(): number {
    return RealDate.now() + ahead;
  }
}

globalThis.Date = Skewed as DateConstructor;

process.on("SIGUSR2", () => {
  const [jump = 0, stall = 0] = fs
    .readFileSync(orders ?? "/dev/null", "utf8")
    .split(" ")
    .map(Number);
  ahead = jump;
  if (stall > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, stall);
});
