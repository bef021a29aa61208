import fs from "node:fs";
import { FjordError } from "../../job/error.js";
import { parseProgress } from "../../job/job-progress.js";
import { quote } from "../../job/quote.js";
import { EXIT } from "../main.js";
import type { Common, Verb } from "../verb.js";

interface Args extends Common {
  readonly done: string;
  readonly text: string[];
}

/** `fjord progress`: a job calls it to report its progress. */
export const verb: Verb<Args> = {
  words: {
    done: { type: "string", demandOption: true, describe: "40 (of 100), 40% or 3/7" },
    text: { type: "string", array: true, default: [], describe: "what the job does now" },
  },
  options: {},
  examples: [
    ["fjord progress 40", "inside a job; the same as: echo 40 > $FJORD_PROGRESS"],
    ['fjord progress 3/7 "epoch 3"', "with a text"],
  ],

  async run({ done, text }) {
    const file = process.env.FJORD_PROGRESS;
    if (file === undefined || file === "") {
      throw new FjordError(
        "bad-usage",
        "FJORD_PROGRESS is not set: this is not inside a job.",
        "Call fjord progress in the command of a job; fjord status shows the progress.",
      );
    }
    if ((parseProgress(done)?.done ?? null) === null) {
      throw new FjordError(
        "bad-usage",
        `${quote(done)} is not a progress report.`,
        "Write a number, a percentage or a fraction, such as 40, 40% or 3/7.",
      );
    }
    fs.writeFileSync(file, `${[done, ...text].join(" ").replaceAll("\n", " ")}\n`);
    return EXIT.ok;
  },
};
