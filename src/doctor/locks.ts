import fs from "node:fs";
import path from "node:path";
import { Layout } from "../project/layout.js";
import { formatMs, type Judgement } from "./finding.js";
import { LOCKED } from "./local-peer.js";
import { type Hold, type LockKind, now } from "./peer-process.js";
import type { Skew, TestContext } from "./test-context.js";

const TIMES = 25;
/** Time for the request to reach the other process, in ms. */
const HEAD_START = 20;

export interface LockHolds {
  readonly kind: LockKind;
  /** Number of times that each process tries to hold the lock. */
  readonly times: number;
  readonly ours: readonly Hold[];
  /** Times by the other process's clock. */
  readonly theirs: readonly Hold[];
  readonly skew: Skew;
}

/** Both processes take and release the same lock repeatedly. */
export async function testLock(context: TestContext, kind: LockKind): Promise<Judgement> {
  const { scratch, local, remote, skew } = context;
  const desk = path.dirname(new Layout(scratch).onDesk(LOCKED.desk, LOCKED.job));
  fs.mkdirSync(desk, { recursive: true });
  const at = now() + HEAD_START + 2 * skew.error;
  const theirs = remote.hold({ kind, times: TIMES, at: at + skew.offset });
  const [ours, others] = await Promise.all([local.hold({ kind, times: TIMES, at }), theirs]);
  return judgeLock({ kind, times: TIMES, ours, theirs: others, skew });
}

export function judgeLock(holding: LockHolds): Judgement {
  const { kind, times, ours, theirs } = holding;
  const { count, longest } = overlaps(holding);
  const measured = { ours: ours.length, theirs: theirs.length, overlaps: count, longest };
  if (count > 0) {
    return {
      verdict: "bad",
      found: `both processes held the lock at once ${count} times, for up to ${formatMs(longest)}`,
      means:
        kind === "job"
          ? "two workers can run a job at the same time, but fjord publishes one outcome"
          : "two dispatchers can work at once, which loses no job but does work twice",
      measured,
    };
  }
  if (ours.length < times || theirs.length < times) {
    return {
      verdict: "warning",
      found: `one process at a time held the lock, but only ${ours.length} and ${theirs.length} of ${times} times`,
      means: "taking a lock is slow here, or one process waits for a long time",
      measured,
    };
  }
  return {
    verdict: "ok",
    found: `each process held the lock ${times} times, never both at once`,
    means:
      kind === "job" ? "only one worker runs a job" : "only one dispatcher assigns jobs, and others stand by",
    measured,
  };
}

/** Counts the times at which both processes held the lock. Overlaps within the error of the clocks do not count. */
export function overlaps({ ours, theirs, skew }: Pick<LockHolds, "ours" | "theirs" | "skew">): {
  count: number;
  longest: number;
} {
  let count = 0;
  let longest = 0;
  for (const mine of ours) {
    for (const other of theirs) {
      const from = Math.max(mine.from, other.from - skew.offset);
      const to = Math.min(mine.to, other.to - skew.offset);
      if (to - from <= skew.error) continue;
      count++;
      longest = Math.max(longest, to - from);
    }
  }
  return { count, longest };
}
