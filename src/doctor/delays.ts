import fs from "node:fs";
import path from "node:path";
import { isErrno } from "../store/store.js";
import { formatMs, type Judgement } from "./finding.js";
import { CHANGED } from "./peer-process.js";
import type { TestContext } from "./test-context.js";

/** Pause between two checks for a change, in ms. */
const PAUSE = 20;
/** Longest time to wait for a change, in ms. NFS caches attributes for up to 60 s (nfs(5), acdirmax). */
const PATIENCE = 75_000;
/** Delays below this one count as none, in ms. */
const AT_ONCE = 50;

/** Times from a change by the other process until this process sees it, in ms; null when it was not seen within `PATIENCE`. */
export interface Delays {
  /** A new file appears in a listing. */
  readonly listed: number | null;
  /** A new file can be opened. The test first tries to open the file before it exists, so that a cache may hold this failure. */
  readonly opened: number | null;
  /** Content that was replaced by a rename. */
  readonly replaced: number | null;
  /** Content that was overwritten in place. */
  readonly rewritten: number | null;
  /** A removed file disappears from a listing. */
  readonly removed: number | null;
}

/** The other process changes files that this process has read before. This process checks until it sees each change. */
export async function testDelays(context: TestContext): Promise<Judgement> {
  const { store, remote, signal } = context;
  const dir = path.join(context.scratch, "delays");
  const at = (name: string) => path.join(dir, name);
  const holds = async (name: string) => {
    try {
      return (await store.read(at(name), 100)).bytes.toString() === "new";
    } catch (error) {
      if (isErrno(error, "ENOENT", "ESTALE")) return false;
      throw error;
    }
  };
  const lists = async (name: string) => (await store.list(dir)).includes(name);
  const checks = {
    listed: () => lists(CHANGED.made),
    opened: () => holds(CHANGED.made),
    replaced: () => holds(CHANGED.replaced),
    rewritten: () => holds(CHANGED.rewritten),
    removed: async () => !(await lists(CHANGED.removed)),
  };

  fs.mkdirSync(dir);
  for (const name of [CHANGED.replaced, CHANGED.rewritten, CHANGED.removed]) {
    await store.create(at(name), "old", false);
  }
  for (const check of Object.values(checks)) await check(); // fills the caches
  await remote.change();
  const begin = performance.now();
  const wait = async (check: () => Promise<boolean>) => {
    for (;;) {
      const elapsed = performance.now() - begin;
      if (await check()) return elapsed < 1 ? 0 : elapsed;
      if (elapsed > PATIENCE) return null;
      await store.clock.sleep(PAUSE, signal);
      signal.throwIfAborted();
    }
  };
  const seen = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, await wait(check)] as const),
  );
  return judgeDelays(Object.fromEntries(seen) as unknown as Delays, context.store.kind, context.settings);
}

const NAMES: Record<keyof Delays, string> = {
  listed: "a new file in a listing",
  opened: "a new file when opened",
  replaced: "replaced content",
  rewritten: "rewritten content",
  removed: "a removed file in a listing",
};

export function judgeDelays(
  delays: Delays,
  kind: "local" | "network",
  settings: TestContext["settings"],
): Judgement {
  const all = (Object.keys(NAMES) as (keyof Delays)[]).map((what) => ({
    what,
    ms: delays[what] ?? PATIENCE,
  }));
  const worst = all.reduce((a, b) => (b.ms > a.ms ? b : a));
  const never = all.filter(({ what }) => delays[what] === null).map(({ what }) => NAMES[what]);
  // On a local file system, workers overwrite their heartbeat in place.
  const beats = [delays.replaced, ...(kind === "local" ? [delays.rewritten] : [])];
  const beat = Math.max(...beats.map((ms) => ms ?? PATIENCE));
  const lease = settings.beat * settings.lostAfter * 1000;
  const found =
    never.length > 0
      ? `changes were not seen within ${formatMs(PATIENCE)}: ${never.join(", ")}`
      : worst.ms < AT_ONCE
        ? "this process sees the changes of the other process at once"
        : `this process sees changes late: ${NAMES[worst.what]} after ${formatMs(worst.ms)}`;
  if (beat > lease / 2) {
    return {
      verdict: "bad",
      found,
      means: `fjord would declare live workers lost, because the lease is ${formatMs(lease)}. Raise beat or lost_after in settings.ini`,
      measured: delays,
    };
  }
  if (never.length > 0) {
    return {
      verdict: "bad",
      found,
      means: "a process does not see the jobs and outcomes of other processes, so do not put a project here",
      measured: delays,
    };
  }
  if (worst.ms > settings.poll * 1000) {
    return {
      verdict: "warning",
      found,
      means: "jobs start later by this delay, and workers and outcomes appear later",
      measured: delays,
    };
  }
  return {
    verdict: "ok",
    found,
    means: `the delay is no longer than the poll interval of ${formatMs(settings.poll * 1000)}`,
    measured: delays,
  };
}
