import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { FjordError } from "../../job/error.js";
import { quote, visible } from "../../job/quote.js";
import { shellQuote } from "../../job/shell-words.js";
import { jobsToActOn } from "../act-on.js";
import { EXIT, openExisting, say } from "../command.js";
import { type Common, needJobs, type Verb } from "../verb.js";

interface Args extends Common {
  readonly jobs: string[];
}

/** `fjord edit`: a job that waits, in `$VISUAL` or `$EDITOR`. */
export const verb: Verb<Args> = {
  options: (y) =>
    y
      .positional("jobs", { type: "string", array: true, default: [] as string[], describe: "one job" })
      .epilogue("The job is held while it is edited. A text that is no job is shown again, with the reason.")
      .example("fjord edit run7", "in $VISUAL, $EDITOR, or vi"),

  async run(args) {
    needJobs(args.jobs);
    const project = await openExisting(args);
    const [place, ...more] = await jobsToActOn(project, args.jobs, "changed");
    if (place === undefined || more.length > 0) {
      throw new FjordError("bad-usage", "One job at a time.", "fjord edit JOB");
    }
    if (place.numbers !== undefined) {
      throw new FjordError(
        "job-refused",
        `${visible(place.job)} has no file of its own yet: it is an element of ${visible(place.numbers.array)}.`,
        "Cancel the array, and submit it anew as it should be.",
      );
    }
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "fjord-edit-"));
    const copy = path.join(dir, place.file);
    try {
      const end = await project.edit(place, async (text, problem) => {
        if (problem !== undefined) {
          say("fjord", visible(problem));
          if (!process.stdin.isTTY) return undefined;
        }
        fs.writeFileSync(copy, text);
        openEditor(copy);
        const edited = fs.readFileSync(copy);
        // Left as it was although it is no job: whoever does that wants to go.
        if (problem !== undefined && edited.equals(text)) return undefined;
        return edited;
      });
      const job = visible(place.job);
      if (end === "not-waiting") {
        throw new FjordError(
          "job-refused",
          `${job} does not wait.`,
          "Only a job that waits or is held can be edited.",
        );
      }
      if (end === "invalid") {
        throw new FjordError("job-refused", `That is no job; ${job} is as it was.`, "fjord edit it again.");
      }
      say("fjord", end === "changed" ? `Changed ${job}.` : `Left ${job} as it was.`);
      return EXIT.ok;
    } finally {
      fs.rmSync(dir, { recursive: true, force: true });
    }
  },
};

/** As git does: a shell line, with the file as its last word. */
function openEditor(file: string): void {
  const editor = process.env.VISUAL || process.env.EDITOR || "vi";
  const { status, error } = spawnSync("/bin/sh", ["-c", `${editor} ${shellQuote(file)}`], {
    stdio: "inherit",
  });
  if (status === 0) return;
  throw new FjordError(
    "bad-usage",
    `The editor ${quote(editor)} failed${error === undefined ? "" : `: ${error.message}`}; the job is as it was.`,
    "Set VISUAL or EDITOR.",
  );
}
