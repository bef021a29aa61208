import { FjordError } from "../../src/job/error.js";
import { Counts } from "../../src/ledger/counts.js";
import { Ledger } from "../../src/ledger/ledger.js";
import type { Layout } from "../../src/project/layout.js";
import type { Settings } from "../../src/project/settings.js";
import { fire } from "../../src/recruiter/fire.js";
import { listAnnounced } from "../../src/spool/announcement.js";
import { isSystemError, type Store } from "../../src/store/store.js";
import { siteOf } from "../rig/site.js";
import type { Watch } from "./watch.js";
import type { Actor } from "./world.js";

/** One use of `recruiter fire`. `at` is in ms after the beginning. */
export interface Firing {
  readonly at: number;
  /** Which of the announced workers to fire, from 0 to 1; undefined for all workers. */
  readonly who?: number;
  readonly now: boolean;
  /** Seconds to wait. */
  readonly patience: number;
  readonly untilGone: boolean;
  /** Whether a new worker is hired afterwards. */
  readonly hires: boolean;
}

/** Runs one `recruiter fire` after the other. */
export async function recruit(
  { actor, store }: { readonly actor: Actor; readonly store: Store },
  layout: Layout,
  settings: Settings,
  firings: readonly Firing[],
  watch: Watch,
  hire: () => void,
): Promise<void> {
  const site = siteOf(store, layout, settings);
  const counts = new Counts(site);
  for (const { at, who, now, patience, untilGone, hires } of firings) {
    await actor.clock.sleep(at - actor.world.time);
    try {
      const announced = await listAnnounced(site);
      const chosen = who === undefined ? [] : announced.slice(Math.floor(who * announced.length)).slice(0, 1);
      if (announced.length === 0) continue;
      const ledger = await Ledger.open(store, layout.ledgerOf(`${actor.name}-r-1`), settings.flush);
      const reclaimer = { ...site, ledger, counts };
      const fired = await fire(reclaimer, { workers: chosen, now, patience, untilGone });
      actor.world.note(
        `${actor.name}: fired ${fired.map(({ worker, end }) => `${worker} ${end}`).join(", ")}`,
      );
      for (const { worker, end } of fired) if (end === "gone") watch.told.gone(worker);
      await ledger.close();
    } catch (error) {
      if (!(error instanceof FjordError) && !isSystemError(error)) throw error;
      actor.world.note(`${actor.name}: fires nobody: ${error.message}`);
    }
    if (hires) hire();
  }
}
