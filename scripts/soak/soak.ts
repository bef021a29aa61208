import yargs from "yargs";
import { hideBin } from "yargs/helpers";

const args = await yargs(hideBin(process.argv))
  .scriptName("npm run soak --")
  .usage(
    "$0\n\nKills, stops, stalls and hinders fjord's real processes for as long as you like, and judges what is left.\n" +
      "Exit code 1: something was lost, double or left behind; the evidence is kept.",
  )
  .option("minutes", { type: "number", default: 10, describe: "how long" })
  .option("seed", { type: "number", describe: "of an earlier run, to strike as it did" })
  .option("round", { type: "number", describe: "only this round of it" })
  .strict()
  .parseAsync();

const seed = args.seed ?? Math.floor(Math.random() * 2 ** 31);
process.env.FJORD_TEST_SEED = String(seed); // for whoever reports a violation
const { soak } = await import("./rounds.js");
process.exit((await soak({ minutes: args.minutes, seed, only: args.round })) ? 0 : 1);
