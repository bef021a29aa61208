import { chooseJobs } from "../../src/compose/choose.js";
import { release } from "../../src/compose/release.js";
import { retry } from "../../src/compose/retry.js";
import { takeOut } from "../../src/compose/withdraw.js";
import { FjordError } from "../../src/job/error.js";
import type { Layout } from "../../src/project/layout.js";
import { isSystemError, type Store } from "../../src/spool/store.js";
import { numbersIn } from "./jobs.js";
import type { Watch } from "./watch.js";
import type { Actor } from "./world.js";

/** What somebody does by a command, and when, ms. */
export interface Deed {
  readonly at: number;
  readonly what: "cancel" | "hold" | "release" | "retry";
  /** As on the command line. */
  readonly word: string;
  /** Seconds that he waits for workers. */
  readonly patience: number;
}

/** Somebody at a shell: one deed after the other. What the store or fjord refuses, he leaves. */
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
  // S1: put back, it would count as whole.
  if ((what === "release" || what === "retry") && watch.isWrittenAside(word)) return "it is being written";
  const places = await chooseJobs(store, layout, [word]);
  switch (what) {
    case "cancel":
    case "hold": {
      const told = await takeOut(store, layout, what, places, { flush, patience });
      const done = told.filter(({ end }) => end === "done").flatMap(({ job }) => namesIn(job));
      watch.told.takenOut(what, done);
      return told.map(({ job, end }) => `${job} ${end}`).join(", ");
    }
    case "release":
      return (await release(store, layout, places, false)).map(({ job, end }) => `${job} ${end}`).join(", ");
    case "retry":
      return (await retry(store, layout, places, false)).map(({ job, end }) => `${job} ${end}`).join(", ");
    default: {
      const unknown: never = what;
      throw new Error(`unknown deed: ${unknown}`);
    }
  }
}

/** Of numbers of an array that are told of together: `A_[2-3,5]`. */
function namesIn(job: string): string[] {
  const [, array, ranges] = /^(.+)_\[(.+)\]$/.exec(job) ?? [];
  return ranges === undefined ? [job] : numbersIn(ranges).map((number) => `${array}_${number}`);
}

/** In the end nothing stays held, also what a worker was asked to hold and holds late. */
export async function releaseAll(
  { actor, store }: { readonly actor: Actor; readonly store: Store },
  layout: Layout,
  watch: Watch,
): Promise<void> {
  while (!watch.areAllEnded) {
    if (watch.held.length > 0) {
      await release(store, layout, await chooseJobs(store, layout, [], new Set(["held"])), false);
    }
    await actor.clock.sleep(1000);
  }
}
