import fs from "node:fs";
import path from "node:path";
import { Layout } from "../project/layout.js";
import { formatMs, type Judgement } from "./finding.js";
import { LOCKED } from "./here.js";
import { type Hold, type LockKind, now } from "./party.js";
import type { Site, Skew } from "./site.js";

const TIMES = 25;
/** Time, ms, for the other process to hear of it. */
const HEAD_START = 20;

export interface Holding {
  readonly kind: LockKind;
  /** Times that each was to hold it. */
  readonly times: number;
  readonly ours: readonly Hold[];
  /** By the other process's clock. */
  readonly theirs: readonly Hold[];
  readonly skew: Skew;
}

/** Two processes take the same lock, over and over. */
export async function holdAgainst(site: Site, kind: LockKind): Promise<Judgement> {
  const { scratch, here, there, skew } = site;
  const desk = path.dirname(new Layout(scratch).onDesk(LOCKED.desk, LOCKED.job));
  fs.mkdirSync(desk, { recursive: true });
  const at = now() + HEAD_START + 2 * skew.error;
  const theirs = there.hold({ kind, times: TIMES, at: at + skew.offset });
  const [ours, others] = await Promise.all([here.hold({ kind, times: TIMES, at }), theirs]);
  return judgeHolding({ kind, times: TIMES, ours, theirs: others, skew });
}

export function judgeHolding(holding: Holding): Judgement {
  const { kind, times, ours, theirs } = holding;
  const { count, longest } = overlaps(holding);
  const measured = { ours: ours.length, theirs: theirs.length, overlaps: count, longest };
  if (count > 0) {
    return {
      verdict: "bad",
      found: `both processes held it at once ${count} times, for up to ${formatMs(longest)}`,
      means:
        kind === "job"
          ? "a job can be run twice at the same time; its outcome still counts once"
          : "two dispatchers can work at once; no job is lost by that, but work is done twice",
      measured,
    };
  }
  if (ours.length < times || theirs.length < times) {
    return {
      verdict: "warning",
      found: `held by one process at a time, but only ${ours.length} and ${theirs.length} of ${times} times each`,
      means: "taking a lock is slow here, or one process is kept waiting",
      measured,
    };
  }
  return {
    verdict: "ok",
    found: `two processes held it ${times} times each, never both at once`,
    means: kind === "job" ? "a job is run by one worker" : "one dispatcher hands out, others stand by",
    measured,
  };
}

/** Times that both held it at once, beyond what the two clocks leave open. */
export function overlaps({ ours, theirs, skew }: Pick<Holding, "ours" | "theirs" | "skew">): {
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
