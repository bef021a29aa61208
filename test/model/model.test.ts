import { expect } from "chai";
import { Dice, SEED } from "../faults/harness.js";
import { walk } from "./explore.js";
import type { Finding } from "./play.js";
import { someTraits, TRAITS, type Trait } from "./scene.js";
import { DEVIATIONS, type Deviation, script } from "./script.js";

/** Walks; a hundred thousand of them take some hours. */
const WALKS = Number(process.env.FJORD_MODEL_WALKS ?? 36);
/** Of them for each trait. */
const OF_EACH = Math.ceil(WALKS / 6);
/** `all`: every call with every deviation; else a sample of so many. */
const SCRIPTS = process.env.FJORD_MODEL_SCRIPTS ?? "40";
/** 2: every two of them, sampled as above. */
const DEPTH = Number(process.env.FJORD_MODEL_DEPTH ?? 1);
/** Lines of what happened that are shown. */
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

  for (const kind of ["local", "network"] as const) {
    it(`whatever goes wrong at one call, on a ${kind} file system`, async function () {
      this.timeout(0);
      const { calls, finding } = await script(kind, new Map());
      expectNothing(finding, "undisturbed");
      const all = scripts(calls, DEPTH);
      const step = SCRIPTS === "all" ? 1 : Math.max(1, all.length / (Number(SCRIPTS) / 2));
      for (let n = (SEED % 997) % step; n < all.length; n += step) {
        const deviations = all[Math.floor(n)] as [number, Deviation][];
        const play = await script(kind, new Map(deviations));
        expectNothing(play.finding, deviations.map(([call, what]) => `${what} at call ${call}`).join(", "));
      }
    });
  }

  it("wherever chance leads", async function () {
    this.timeout(0);
    for (let seed = SEED; seed < SEED + WALKS; seed++) await expectNothingOf(seed, []);
  });

  for (const trait of TRAITS) {
    it(`wherever chance leads, with what comes with: ${trait}`, async function () {
      this.timeout(0);
      for (let seed = SEED; seed < SEED + OF_EACH; seed++) await expectNothingOf(seed, [trait]);
    });
  }

  it("wherever chance leads, with several of these at once", async function () {
    this.timeout(0);
    for (let seed = SEED; seed < SEED + OF_EACH * 2; seed++)
      await expectNothingOf(seed, someTraits(new Dice(seed)));
  });

  it("the same way twice for the same seed", async () => {
    const [one, two] = [await walk(SEED), await walk(SEED)];
    expect(two.steps).to.equal(one.steps);
  });
});

/** Each call with each deviation; or each two of them. */
function scripts(calls: number, depth: number): [number, Deviation][][] {
  const singles = DEVIATIONS.flatMap((what) =>
    Array.from({ length: calls }, (_, call) => [call, what] as [number, typeof what]),
  );
  if (depth === 1) return singles.map((one) => [one]);
  return singles.flatMap((one) => singles.filter(([call]) => call > one[0]).map((other) => [one, other]));
}
