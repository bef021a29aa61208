import { expect } from "chai";
import { mutate } from "./mutant.js";
import { MUTATIONS } from "./mutations.js";
import { TRAIT_MUTATIONS } from "./trait-mutations.js";

/** Whether the mutations that take long to find are looked for, too. */
const ALL = process.env.FJORD_MUTATIONS === "all";
const WALKS = Number(process.env.FJORD_MODEL_WALKS ?? (ALL ? 2000 : 200));

describe("the model finds out when the protocol is broken", () => {
  for (const mutation of [...MUTATIONS, ...TRAIT_MUTATIONS]) {
    if (mutation.isHard === true && !ALL) continue;
    it(mutation.name, async function () {
      this.timeout(0);
      const { hunt } = await mutate(mutation);
      const prey = await hunt(mutation.by, WALKS, mutation.traits);
      expect(prey?.what, "nothing was found").to.match(mutation.found);
    });
  }
});
