import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { FjordError } from "../../job/error.js";
import { visible } from "../../job/quote.js";
import type { JobPlace } from "../../jobs/places.js";
import type { Project } from "../../library/project.js";
import { jobsToActOn } from "../act-on.js";
import { type EditorEnd, openEditor } from "../editor.js";
import { EXIT, note, say, whenUnheard } from "../main.js";
import { openExisting } from "../open-project.js";
import { type Common, JOBS, needJobs, type Verb } from "../verb.js";

interface Args extends Common {
  readonly jobs: string[];
}

/** `fjord edit`: opens a waiting job in `$VISUAL` or `$EDITOR`. */
export const verb: Verb<Args> = {
  words: { jobs: { ...JOBS, describe: "one job" } },
  options: {},
  examples: [["fjord edit run7", "in $VISUAL, $EDITOR, or vi"]],
  notes: "The job is held while it is edited. The editor opens again if the text is not a valid job.",

  async run(args) {
    needJobs(args.jobs);
    const project = await openExisting(args);
    const [place, ...more] = await jobsToActOn(project, args.jobs, "changed");
    if (place === undefined || more.length > 0) {
      throw new FjordError("bad-usage", "One job at a time.", "fjord edit JOB");
    }
    if (place.kind === "numbers") {
      throw new FjordError(
        "job-refused",
        `${visible(place.job)} has no file of its own yet: it is an element of ${visible(place.numbers.array)}.`,
        "Cancel the array, change its file, and submit it again.",
      );
    }
    return editCopy(project, place);
  },
};

/** Edits a copy in a directory of its own. The copy is removed when the job has the new text, or when the text is unchanged. */
async function editCopy(project: Project, place: JobPlace): Promise<number> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "fjord-edit-"));
  const copy = path.join(dir, place.file);
  const editing = new Signals();
  let original: Buffer | undefined;
  let editor: EditorEnd = "ended";
  let isPut = false;
  try {
    const end = await project.edit(
      place,
      async (text, problem) => {
        original ??= text;
        if (problem !== undefined) {
          say("fjord", visible(problem));
          if (!process.stdin.isTTY) return undefined;
        }
        fs.writeFileSync(copy, text);
        editor = await editing.during((stop) => openEditor(copy, stop));
        if (editor !== "ended") return undefined;
        const edited = fs.readFileSync(copy);
        // A user who closes the editor without a change to the invalid text wants to stop.
        if (problem !== undefined && edited.equals(text)) return undefined;
        return edited;
      },
      {
        copy,
        signal: editing.stop,
        onTakeOver: ({ by, since, copy }) => tellTakeOver(place, by, since, copy),
      },
    );
    isPut = end === "changed";
    return tellEnd(place, end, editing.stop.aborted);
  } finally {
    const isUsed = (editor as EditorEnd) === "runs";
    if (isUsed || (!isPut && hasMore(dir, copy, original))) {
      note("fjord", `The edited text is kept in ${visible(copy)}.`);
    } else fs.rmSync(dir, { recursive: true, force: true });
  }
}

function tellTakeOver({ job }: JobPlace, by: string, since: string, copy: string): void {
  const was = fs.existsSync(copy) ? ` Its text is kept in ${visible(copy)}.` : "";
  say(
    "fjord",
    `An edit of ${visible(job)} by ${visible(by)}, begun at ${visible(since)}, was interrupted.${was}`,
  );
}

function tellEnd(place: JobPlace, end: Awaited<ReturnType<Project["edit"]>>, isStopped: boolean): number {
  const job = visible(place.job);
  if (isStopped && end !== "changed") {
    note("fjord", `Stopped; ${job} is as it was.`);
    return EXIT.interrupted;
  }
  if (end === "not-waiting") {
    throw new FjordError(
      "job-refused",
      `${job} does not wait.`,
      "Only a job that waits or is held can be edited.",
    );
  }
  if (end === "invalid") {
    throw new FjordError(
      "job-refused",
      `The edited text is not a valid job; ${job} is as it was.`,
      "Correct it with fjord edit.",
    );
  }
  say("fjord", end === "changed" ? `Changed ${job}.` : `Left ${job} as it was.`);
  return EXIT.ok;
}

/** Whether the directory holds a text that differs from the job file, or files that a killed editor has left. */
function hasMore(dir: string, copy: string, original: Buffer | undefined): boolean {
  if (original === undefined || !fs.existsSync(copy)) return fs.readdirSync(dir).length > 0;
  return !fs.readFileSync(copy).equals(original) || fs.readdirSync(dir).length > 1;
}

/**
 * The signals of an edit. While the editor runs, only the editor handles the signals of the terminal's keys. All other signals
 * end the edit, and the job is put back before this process ends.
 */
class Signals {
  readonly #stop = new AbortController();
  #isEditing = false;

  constructor() {
    for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => this.#stop.abort(signal));
    for (const signal of ["SIGINT", "SIGQUIT"] as const) {
      process.on(signal, () => {
        if (!this.#isEditing) this.#stop.abort("SIGTERM");
      });
    }
    whenUnheard(() => undefined); // the job must be put back even if the reader of the output goes
  }

  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  async during<T>(edit: (stop: AbortSignal) => Promise<T>): Promise<T> {
    this.#isEditing = true;
    try {
      return await edit(this.stop);
    } finally {
      this.#isEditing = false;
    }
  }
}
