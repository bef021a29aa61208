import { defaultSettings, type Settings } from "../../src/project/settings.js";
import type { Stage } from "./stage.js";

/** An error that a play has found. */
export interface Finding {
  readonly what: string;
  /** All events, one line each. */
  readonly trace: readonly string[];
}

export interface Walk {
  readonly finding: Finding | undefined;
  readonly steps: number;
}

/** @param begin runs the part of the play that has faults. After it there are no faults. */
export async function play(stage: Stage, begin: () => Promise<void>): Promise<Walk> {
  const { world } = stage;
  using _ = world.takeOver();
  stage.dispatch("d1");
  stage.hire();
  if (stage.scene.isAlone) world.after(stage.scene.settings.beat * 3000, () => void stage.hire());
  else stage.hire();
  stage.dispatch("d2");
  stage.beginDeeds();
  await begin();
  if (world.violation === undefined) await stage.close();
  if (world.violation === undefined) {
    const [first] = stage.judge();
    if (first !== undefined) world.fail(`${first.check}: ${first.what}\n${stage.tree()}`);
  }
  // Waits until the consequences of the last call have ended, before real time is used again.
  await new Promise((resolve) => setImmediate(resolve));
  const finding = world.violation === undefined ? undefined : { what: world.violation, trace: world.trace };
  return { finding, steps: world.steps };
}

/**
 * Short leases, so that a play has several of them. On a network the settle time is longer than caches keep listings.
 */
const SETTINGS = {
  local: { beat: 2, lostAfter: 5, poll: 1 },
  network: { beat: 4, lostAfter: 6, poll: 2, settle: 5 },
};

export function settingsFor(kind: "local" | "network"): Settings {
  return { ...defaultSettings(kind), ...SETTINGS[kind], jobOwners: "anyone" };
}

/** Time in ms without a heartbeat after which a worker is declared lost. */
export function leaseOf({ beat, lostAfter }: Settings): number {
  return beat * lostAfter * 1000;
}
