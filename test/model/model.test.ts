import { expect } from "chai";
import { Dice, SEED } from "../rig/dice.js";
import { sized } from "../rig/sized.js";
import { walk } from "./explore.js";
import type { Finding } from "./play.js";
import { someTraits, TRAITS, type Trait } from "./scene.js";
import { DEVIATIONS, type Deviation, script } from "./script.js";

/** Number of random walks. A hundred thousand walks take some hours. */
const WALKS = Number(process.env.FJORD_MODEL_WALKS ?? sized(12, 360));
/** Walks for each trait. */
const OF_EACH = Math.ceil(WALKS / 6);
/** Number of scripts. `all` plays every deviation at every call. */
const SCRIPTS = process.env.FJORD_MODEL_SCRIPTS ?? sized("20", "400");
/** Deviations in one script. With 2, each pair of deviations is a script. */
const DEPTH = Number(process.env.FJORD_MODEL_DEPTH ?? 1);
/** Lines of the trace that an error message shows. */
const SHOWN = 200;

function expectNothing(finding: Finding | undefined, how: string): void {
  if (finding === undefined) return;
  expect.fail(`${how}: ${finding.what}\n\nHow it came to it:\n${finding.trace.slice(-SHOWN).join("\n")}`);
}

async function expectNothingOf(seed: number, traits: readonly Trait[]): Promise<void> {
  const { finding } = await walk(seed, traits);
  expectNothing(finding, `${traits.join(", ")}: FJORD_TEST_SEED=${seed} FJORD_MODEL_WALKS=1`);
}

describe("the protocol holds in the model", () => {
  before(() =>
    console.log(
      `    seed ${SEED}, ${WALKS} walks, ${SCRIPTS} scripts (FJORD_TEST_SEED, FJORD_MODEL_WALKS, FJORD_MODEL_SCRIPTS)`,
    ),
  );

  for (const [kind, plot] of [
    ["local", "two-jobs"],
    ["network", "two-jobs"],
    ["local", "cleaned"],
    ["network", "cleaned"],
  ] as const) {
    it(`when something goes wrong at one call, on a ${kind} file system: ${plot}`, async function () {
      this.timeout(0);
      const { calls, finding } = await script(kind, new Map(), plot);
      expectNothing(finding, "undisturbed");
      const all = scripts(calls, DEPTH);
      const step = SCRIPTS === "all" ? 1 : Math.max(1, all.length / (Number(SCRIPTS) / 4));
      for (let n = (SEED % 997) % step; n < all.length; n += step) {
        const deviations = all[Math.floor(n)] as [number, Deviation][];
        const play = await script(kind, new Map(deviations), plot);
        expectNothing(play.finding, deviations.map(([call, what]) => `${what} at call ${call}`).join(", "));
      }
    });
  }

  it("in random walks", async function () {
    this.timeout(0);
    for (let seed = SEED; seed < SEED + WALKS; seed++) await expectNothingOf(seed, []);
  });

  for (const trait of TRAITS) {
    it(`in random walks with the trait ${trait}`, async function () {
      this.timeout(0);
      for (let seed = SEED; seed < SEED + OF_EACH; seed++) await expectNothingOf(seed, [trait]);
    });
  }

  it("in random walks with several traits at once", async function () {
    this.timeout(0);
    for (let seed = SEED; seed < SEED + OF_EACH * 2; seed++)
      await expectNothingOf(seed, someTraits(new Dice(seed)));
  });

  it("with the same steps for the same seed", async () => {
    const [one, two] = [await walk(SEED), await walk(SEED)];
    expect(two.steps).to.equal(one.steps);
  });
});

/** All scripts: one for each deviation at each call, or one for each pair of these. */
function scripts(calls: number, depth: number): [number, Deviation][][] {
  const singles = DEVIATIONS.flatMap((what) =>
    Array.from({ length: calls }, (_, call) => [call, what] as [number, typeof what]),
  );
  if (depth === 1) return singles.map((one) => [one]);
  return singles.flatMap((one) => singles.filter(([call]) => call > one[0]).map((other) => [one, other]));
}
