import fs from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isErrno } from "../spool/store.js";
import { formatMs, type Judgement } from "./finding.js";
import { CHANGED } from "./party.js";
import type { Site } from "./site.js";

const BETWEEN_LOOKS = 20;
/** Ms; the caches of NFS keep what they know for up to a minute. */
const PATIENCE = 75_000;
/** Seen sooner than that, ms, is seen at once. */
const AT_ONCE = 50;

/** How long after the other process had changed something that was seen here, ms; null: not seen at all. */
export interface Delays {
  /** A new file, in a listing; and opened, after it had been looked for in vain. */
  readonly listed: number | null;
  readonly opened: number | null;
  /** New content: renamed over the old one, and written in its place. */
  readonly replaced: number | null;
  readonly rewritten: number | null;
  /** A removed file, in a listing. */
  readonly removed: number | null;
}

/** The other process changes files that this one knows; this one looks until it sees that. */
export async function seeChanges(site: Site): Promise<Judgement> {
  const { store, there, signal } = site;
  const dir = path.join(site.scratch, "delays");
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
  const looks = {
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
  for (const look of Object.values(looks)) await look(); // now they are in whatever cache there is
  await there.change();
  const begin = performance.now();
  const wait = async (look: () => Promise<boolean>) => {
    for (;;) {
      const asked = performance.now() - begin;
      if (await look()) return asked < 1 ? 0 : asked;
      if (asked > PATIENCE) return null;
      await delay(BETWEEN_LOOKS, undefined, { signal });
    }
  };
  const seen = await Promise.all(
    Object.entries(looks).map(async ([name, look]) => [name, await wait(look)] as const),
  );
  return judgeDelays(Object.fromEntries(seen) as unknown as Delays, site.store.kind, site.settings);
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
  settings: Site["settings"],
): Judgement {
  const all = (Object.keys(NAMES) as (keyof Delays)[]).map((what) => ({
    what,
    ms: delays[what] ?? PATIENCE,
  }));
  const worst = all.reduce((a, b) => (b.ms > a.ms ? b : a));
  const never = all.filter(({ what }) => delays[what] === null).map(({ what }) => NAMES[what]);
  // On a local file system a heartbeat is written in place.
  const beats = [delays.replaced, ...(kind === "local" ? [delays.rewritten] : [])];
  const beat = Math.max(...beats.map((ms) => ms ?? PATIENCE));
  const lease = settings.beat * settings.lostAfter * 1000;
  const found =
    never.length > 0
      ? `not seen within ${formatMs(PATIENCE)}: ${never.join(", ")}`
      : worst.ms < AT_ONCE
        ? "what the other process makes, changes and removes is seen at once"
        : `seen late: ${NAMES[worst.what]} after ${formatMs(worst.ms)}`;
  if (beat > lease / 2) {
    return {
      verdict: "bad",
      found,
      means: `workers that live are taken for lost, after ${formatMs(lease)}: raise beat or lost_after in settings.ini`,
      measured: delays,
    };
  }
  if (never.length > 0) {
    return {
      verdict: "bad",
      found,
      means: "jobs and outcomes of other processes go unseen: no place for a project",
      measured: delays,
    };
  }
  if (worst.ms > settings.poll * 1000) {
    return {
      verdict: "warning",
      found,
      means: "jobs start, and workers and outcomes show up, that much later",
      measured: delays,
    };
  }
  return {
    verdict: "ok",
    found,
    means: `no later than fjord looks anyway, every ${formatMs(settings.poll * 1000)}`,
    measured: delays,
  };
}
