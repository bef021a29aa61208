import path from "node:path";
import { formatMs, type Judgement } from "./finding.js";
import { now, type Party } from "./party.js";
import type { Site, Skew } from "./site.js";

const ASKED = 15;
/** Ms. A lock of a job counts as left behind after two minutes, by the clock of who finds it. */
const FAR = 60_000;
/** Ms that are not worth a word. File systems stamp to the tick of the kernel, some to the second or two. */
const NEAR = 2_500;

/** Compares the two processes' clocks, by the answer that came back soonest. */
export async function compareClocks(here: Party, there: Party): Promise<Skew> {
  let best: Skew = { offset: 0, error: Number.POSITIVE_INFINITY };
  for (let n = 0; n < ASKED; n++) {
    const before = await here.clock();
    const theirs = await there.clock();
    const after = await here.clock();
    const error = (after - before) / 2;
    if (error < best.error) best = { offset: theirs - (before + after) / 2, error };
  }
  return best;
}

export interface Clocks {
  /** How far the store's clock is before ours, ms. */
  readonly store: number;
  /** The other process's. */
  readonly other: Skew;
}

/** Compares our clock with that which stamps the files. */
export async function readClocks({ store, scratch, skew }: Site): Promise<Judgement> {
  const file = path.join(scratch, "clock");
  const before = now();
  await store.create(file, "x", false);
  const after = now();
  const { mtimeMs } = await store.facts(file);
  // A stamp between the two is in step, however long the file took.
  const offset = mtimeMs < before ? mtimeMs - before : mtimeMs > after ? mtimeMs - after : 0;
  return judgeClocks({ store: offset, other: skew });
}

export function judgeClocks(clocks: Clocks): Judgement {
  const far = [
    { whose: "the store's clock", offset: clocks.store },
    { whose: "the other process's clock", offset: clocks.other.offset },
  ].filter(({ offset }) => Math.abs(offset) > NEAR);
  const told = far.map(
    ({ whose, offset }) =>
      `${whose} is ${formatMs(Math.abs(offset))} ${offset > 0 ? "before" : "behind"} ours`,
  );
  if (far.some(({ offset }) => Math.abs(offset) > FAR)) {
    return {
      verdict: "warning",
      found: told.join("; "),
      means:
        "no job is lost or called lost by that, but a lock may be taken over too early, and times in the history do not fit together: set the clocks (NTP)",
      measured: clocks,
    };
  }
  return {
    verdict: "ok",
    found: told.length > 0 ? told.join("; ") : "ours, the store's and the other process's are in step",
    means: "fjord compares no times of two hosts, except the age of a lock",
    measured: clocks,
  };
}
