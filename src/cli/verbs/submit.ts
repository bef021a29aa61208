import { FjordError } from "../../job/error.js";
import { visible } from "../../job/quote.js";
import { namesOfNumbers } from "../../jobs/numbers.js";
import type { Project } from "../../library/project.js";
import type { Draft } from "../../submission/draft.js";
import { countOnTerminal } from "../counter.js";
import { draftsWanted, FILES, JOB_OPTIONS, type JobArgs } from "../job-options.js";
import { EXIT, note, say } from "../main.js";
import { openExisting, openProject } from "../open-project.js";
import { flag, JSON_OPTION, SHARED_OPTION } from "../option.js";
import { ownJob } from "../own-job.js";
import { printDrafts, printFiles, printNames, reportSubmitted } from "../submit-report.js";
import { SWEEP_OPTIONS } from "../sweep-options.js";
import type { Verb } from "../verb.js";
import { exitCodeOf, tellEnds } from "../wait-outcome.js";
import { waitWithNews } from "../wait-with-news.js";

interface Args extends JobArgs {
  readonly replace: boolean;
  readonly wait: boolean;
  readonly shared: string | undefined;
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly parsable: boolean;
}

/** `fjord submit`: puts job files, folders of them, or a command into the queue. */
export const verb: Verb<Args> = {
  words: { files: FILES },
  options: {
    ...JOB_OPTIONS,
    replace: flag("replace a job with the same name that is still in the queue"),
    wait: flag("wait until the jobs have ended; exit with 0 if all succeeded, else with 1"),
    shared: SHARED_OPTION,
    "dry-run": flag("show the job files, submit nothing"),
    json: JSON_OPTION,
    parsable: flag("print only the names of the jobs, one on each line; an array has one name"),
    ...SWEEP_OPTIONS,
  },
  examples: [
    ["fjord submit my-jobs/ extra.ini", "all job files of a folder, and one more job file"],
    ["fjord submit -- python train.py --lr 0.1", "a command, as it stands here"],
    ["fjord submit --timeout 2h -- 'make && ./plot'", "a shell command line"],
    ["fjord submit --param n=1..20 -- ./train {n}", "20 jobs"],
    ["ls | fjord submit --each-line - -- ./fit {line}", "a job for each line"],
  ],

  async run(args) {
    const format = formatOf(args);
    const { replace, dryRun } = args;
    const before = args.after === undefined ? undefined : await openIfThere(args);
    const drafts = await draftsWanted(args, before);
    const project = dryRun
      ? await openIfThere(args)
      : await openProject(args, (text) => {
          if (format === "names") note("fjord", text);
          if (format === "text") say("fjord", text);
        });
    if (args.wait && project !== undefined) refuseCircle(project, drafts);
    const show = format === "text" ? countOnTerminal("Submitted") : undefined;
    const onProgress = show && ((done: number) => show(done, drafts.length));
    const onDesk = (await project?.submitDrafts(drafts, { replace, dryRun, onProgress })) ?? [];
    if (format === "json") printDrafts(drafts);
    else if (format === "names") printNames(drafts);
    else if (dryRun) printFiles(drafts);
    else reportSubmitted(drafts, { isFiles: args.files.length > 0, onDesk });
    if (!args.wait || dryRun || project === undefined) return EXIT.ok;
    const result = await waitWithNews(project, args.project, drafts.flatMap(namesOfDraft));
    if (format === "text") await tellEnds(project, result, args.project);
    return exitCodeOf(result);
  },
};

function formatOf({ json, parsable }: Args): "text" | "json" | "names" {
  if (json && parsable) {
    throw new FjordError(
      "bad-usage",
      "--json and --parsable are two ways to print the same.",
      "Use one of them.",
    );
  }
  if (json) return "json";
  return parsable ? "names" : "text";
}

/** Inside a job, refuses to wait for a job that runs after that job, because the wait would never end. */
function refuseCircle(project: Project, drafts: readonly Draft[]): void {
  const own = ownJob(project)?.job;
  const later = drafts.find(({ after }) => after.some(({ job }) => job === own));
  if (own === undefined || later === undefined) return;
  throw new FjordError(
    "bad-usage",
    `${visible(later.job)} runs after ${visible(own)}, in which this command runs, so --wait would never end.`,
    "Leave --wait out, or --after.",
  );
}

function namesOfDraft({ job, array }: Draft): string[] {
  return array === undefined ? [job] : namesOfNumbers({ array: job, ranges: array.ranges });
}

/** Opens a project if it exists. `--dry-run` does not make a project. In a project that does not exist, no name is taken. */
async function openIfThere(args: Args): Promise<Project | undefined> {
  try {
    return await openExisting(args);
  } catch (error) {
    if (error instanceof FjordError && error.code === "no-such-project") return undefined;
    throw error;
  }
}
