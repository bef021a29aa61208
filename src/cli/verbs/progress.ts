import fs from "node:fs";
import { FjordError } from "../../job/error.js";
import { parseProgress } from "../../job/job-progress.js";
import { quote } from "../../job/quote.js";
import { EXIT } from "../command.js";
import type { Common, Verb } from "../verb.js";

interface Args extends Common {
  readonly done: string;
  readonly text: string[];
}

/** `fjord progress`: what a job calls to tell how far it is. */
export const verb: Verb<Args> = {
  options: (y) =>
    y
      .positional("done", { type: "string", demandOption: true, describe: "40 (of 100), 40% or 3/7" })
      .positional("text", { type: "string", array: true, default: [] as string[], describe: "what it does" })
      .example("fjord progress 40", "in a job; the same as: echo 40 > $FJORD_PROGRESS")
      .example('fjord progress 3/7 "epoch 3"', "with a text"),

  async run({ done, text }) {
    const file = process.env.FJORD_PROGRESS;
    if (file === undefined || file === "") {
      throw new FjordError(
        "bad-usage",
        "FJORD_PROGRESS is not set: this is not inside a job.",
        "Call it in what a job runs; fjord status shows what it told.",
      );
    }
    if ((parseProgress(done)?.done ?? null) === null) {
      throw new FjordError("bad-usage", `${quote(done)} is no progress.`, "Write such as 40, 40% or 3/7.");
    }
    fs.writeFileSync(file, `${[done, ...text].join(" ").replaceAll("\n", " ")}\n`);
    return EXIT.ok;
  },
};
