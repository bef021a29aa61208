import yargs from "yargs";
import { hideBin } from "yargs/helpers";

const args = await yargs(hideBin(process.argv))
  .scriptName("npm run soak --")
  .usage(
    "$0\n\nKills, stops, stalls and hinders fjord's real processes, and checks the project afterwards.\n" +
      "The exit code is 1 when something was lost, doubled or left behind. The evidence is kept.",
  )
  .option("minutes", { type: "number", default: 10, describe: "length of the run" })
  .option("seed", { type: "number", describe: "seed of an earlier run, to repeat it" })
  .option("round", { type: "number", describe: "run only this round" })
  .strict()
  .parseAsync();

const seed = args.seed ?? Math.floor(Math.random() * 2 ** 31);
process.env.FJORD_TEST_SEED = String(seed); // the checker prints the seed with a violation
const { soak } = await import("./rounds.js");
process.exit((await soak({ minutes: args.minutes, seed, only: args.round })) ? 0 : 1);
