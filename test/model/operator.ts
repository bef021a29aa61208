import { FjordError } from "../../src/job/error.js";
import { cancelOrHoldJobs } from "../../src/jobs/cancel.js";
import { clean } from "../../src/jobs/clean.js";
import { release } from "../../src/jobs/release.js";
import { retry } from "../../src/jobs/retry.js";
import { selectJobs } from "../../src/jobs/select.js";
import type { Layout } from "../../src/project/layout.js";
import { defaultSettings } from "../../src/project/settings.js";
import { isSystemError, type Store } from "../../src/store/store.js";
import { siteOf } from "../rig/site.js";
import { numbersIn } from "./jobs.js";
import type { Watch } from "./watch.js";
import type { Actor } from "./world.js";

/** A command that an operator runs, and its time in ms. */
export interface Deed {
  readonly at: number;
  readonly what: "cancel" | "hold" | "release" | "retry" | "clean";
  /** The job, as on the command line. */
  readonly word: string;
  /** Seconds to wait for workers. */
  readonly patience: number;
}

/**
 * An operator at a shell, who runs one command after the other and does not repeat a command that the store or fjord
 * refuses.
 */
export async function operate(
  { actor, store }: { readonly actor: Actor; readonly store: Store },
  layout: Layout,
  flush: boolean,
  deeds: readonly Deed[],
  watch: Watch,
): Promise<void> {
  for (const deed of deeds) {
    await actor.clock.sleep(deed.at - actor.world.time);
    await carryOut(store, layout, flush, deed, watch).then(
      (told) => actor.world.note(`${actor.name}: ${deed.what} ${deed.word}: ${told}`),
      (error) => {
        if (!(error instanceof FjordError) && !isSystemError(error)) throw error;
        actor.world.note(`${actor.name}: ${deed.what} ${deed.word}: ${error.message}`);
      },
    );
  }
}

async function carryOut(
  store: Store,
  layout: Layout,
  flush: boolean,
  { what, word, patience }: Deed,
  watch: Watch,
): Promise<string> {
  // S1: a file that is put back before it is complete would count as complete.
  if ((what === "release" || what === "retry") && watch.isWrittenAside(word)) return "it is being written";
  const site = siteOf(store, layout, { ...defaultSettings(store.kind), flush });
  const places = await selectJobs(site, [word]);
  switch (what) {
    case "cancel":
    case "hold": {
      const told = await cancelOrHoldJobs(site, what, places, { patience });
      const done = told.filter(({ end }) => end === "done").flatMap(({ job }) => namesIn(job));
      watch.told.cancelledOrHeld(what, done);
      return told.map(({ job, end }) => `${job} ${end}`).join(", ");
    }
    case "release":
      return (await release(site, places, false)).map(({ job, end }) => `${job} ${end}`).join(", ");
    case "retry":
      return (await retry(site, places, false)).map(({ job, end }) => `${job} ${end}`).join(", ");
    case "clean":
      return (await clean(site, places, { olderThan: 0 })).jobs.join(", ");
    default: {
      const unknown: never = what;
      throw new Error(`unknown deed: ${unknown}`);
    }
  }
}

/** The jobs that a report names together, for example `A_[2-3,5]`. */
function namesIn(job: string): string[] {
  const [, array, ranges] = /^(.+)_\[(.+)\]$/.exec(job) ?? [];
  return ranges === undefined ? [job] : numbersIn(ranges).map((number) => `${array}_${number}`);
}

/** Releases all held jobs until all jobs have ended. A worker may carry out an order to hold a job late. */
export async function releaseAll(
  { actor, store }: { readonly actor: Actor; readonly store: Store },
  layout: Layout,
  watch: Watch,
): Promise<void> {
  const site = siteOf(store, layout);
  while (!watch.areAllEnded) {
    if (watch.held.length > 0) await release(site, await selectJobs(site, [], new Set(["held"])), false);
    await actor.clock.sleep(1000);
  }
}
