import path from "node:path";
import { formatMs, type Judgement } from "./finding.js";
import { now, type PeerProcess } from "./peer-process.js";
import type { Skew, TestContext } from "./test-context.js";

/** Number of times that each clock is read. */
const READINGS = 15;
/**
 * Largest harmless difference, in ms. A job's lock counts as abandoned after two minutes, by the clock of the process that
 * finds the lock.
 */
const FAR = 60_000;
/** Differences up to this one are not reported, in ms. Some file systems store times only to one or two seconds. */
const NEAR = 2_500;

/** Compares the clocks of the two processes. The reply that arrives fastest has the smallest error, so it counts. */
export async function compareClocks(local: PeerProcess, remote: PeerProcess): Promise<Skew> {
  let best: Skew = { offset: 0, error: Number.POSITIVE_INFINITY };
  for (let n = 0; n < READINGS; n++) {
    const before = await local.clock();
    const theirs = await remote.clock();
    const after = await local.clock();
    const error = (after - before) / 2;
    if (error < best.error) best = { offset: theirs - (before + after) / 2, error };
  }
  return best;
}

export interface Clocks {
  /** Time by which the clock that stamps the files is ahead of this process's clock, in ms. */
  readonly store: number;
  /** The clock of the other process. */
  readonly other: Skew;
}

/** Compares this process's clock with the clock that stamps the files. */
export async function testClocks({ store, scratch, skew }: TestContext): Promise<Judgement> {
  const file = path.join(scratch, "clock");
  const before = now();
  await store.create(file, "x", false);
  const after = now();
  const { mtimeMs } = await store.facts(file);
  // A time between the two readings shows no difference. Creating the file may take any time.
  const offset = mtimeMs < before ? mtimeMs - before : mtimeMs > after ? mtimeMs - after : 0;
  return judgeClocks({ store: offset, other: skew });
}

export function judgeClocks(clocks: Clocks): Judgement {
  const far = [
    { whose: "the store's clock", offset: clocks.store },
    { whose: "the other process's clock", offset: clocks.other.offset },
  ].filter(({ offset }) => Math.abs(offset) > NEAR);
  const differences = far.map(
    ({ whose, offset }) =>
      `${whose} is ${formatMs(Math.abs(offset))} ${offset > 0 ? "ahead of" : "behind"} this process's clock`,
  );
  if (far.some(({ offset }) => Math.abs(offset) > FAR)) {
    return {
      verdict: "warning",
      found: differences.join(", and "),
      means:
        "no job is lost, but fjord may take over a lock too early, and times in the history do not match. Set the clocks, for example with NTP",
      measured: clocks,
    };
  }
  return {
    verdict: "ok",
    found:
      differences.length > 0
        ? differences.join(", and ")
        : "the clocks of both processes and of the store agree",
    means: "fjord compares no times of two hosts, except the age of a lock",
    measured: clocks,
  };
}
