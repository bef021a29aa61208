import { defaultSettings, type Settings } from "../../src/project/settings.js";
import type { Stage } from "./stage.js";

/** What was found wrong; undefined: nothing. */
export interface Finding {
  readonly what: string;
  /** All that happened, a line each. */
  readonly trace: readonly string[];
}

export interface Walk {
  readonly finding: Finding | undefined;
  readonly steps: number;
}

/** @param begin lets things happen for a while, after which nothing goes wrong any more */
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
  // What the last call has set off is over before time is real again.
  await new Promise((resolve) => setImmediate(resolve));
  const finding = world.violation === undefined ? undefined : { what: world.violation, trace: world.trace };
  return { finding, steps: world.steps };
}

/** Short leases, so that there is time for several; settled later than what listings are remembered for. */
const SETTINGS = {
  local: { beat: 2, lostAfter: 5, poll: 1 },
  network: { beat: 4, lostAfter: 6, poll: 2, settle: 5 },
};

export function settingsFor(kind: "local" | "network"): Settings {
  return { ...defaultSettings(kind), ...SETTINGS[kind], jobOwners: "anyone" };
}

/** ms after which a worker that is not heard is lost. */
export function leaseOf({ beat, lostAfter }: Settings): number {
  return beat * lostAfter * 1000;
}
