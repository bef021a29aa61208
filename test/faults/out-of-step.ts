import fs from "node:fs";

/**
 * This module is loaded before the code of a daemon (NODE_OPTIONS), and sets the wall clock ahead. At SIGUSR2 it sets
 * the clock again and blocks the event loop. The file that FJORD_TEST_OUT_OF_STEP names holds both times in ms:
 * `AHEAD STALL`. The monotonic clock stays correct.
 */
const orders = process.env.FJORD_TEST_OUT_OF_STEP ?? "/dev/null";
const RealDate = Date;
let [ahead] = ordered();

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
  const [jump, stall] = ordered();
  ahead = jump;
  if (stall > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, stall);
});

function ordered(): [ahead: number, stall: number] {
  const [jump = 0, stall = 0] = fs.readFileSync(orders, "utf8").split(" ").map(Number);
  return [jump, stall];
}
