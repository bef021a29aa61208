import type { Draft } from "../../compose/draft.js";
import type { Project } from "../../compose/project.js";
import { draftsOf } from "../../compose/wanted.js";
import { elementName } from "../../job/element.js";
import { FjordError } from "../../job/error.js";
import { readJob } from "../../job/job.js";
import { endsOfRanges } from "../../job/numbers.js";
import { visible } from "../../job/quote.js";
import { withoutSecrets } from "../../job/secrets.js";
import { nameOfNumbers, namesOf } from "../../report/arrays.js";
import { EXIT, openExisting, openProject, SHARED_OPTION, say } from "../command.js";
import { countOnTerminal } from "../counter.js";
import { exitCodeOf, tellEnds } from "../ends.js";
import { type JobArgs, jobOptions, wantedOf } from "../job-options.js";
import { sweepOptions } from "../sweep-options.js";
import { count, JSON_OPTION, printJson, some, type Verb } from "../verb.js";
import { waitAloud } from "../wait-aloud.js";

interface Args extends JobArgs {
  readonly replace: boolean;
  readonly wait: boolean;
  readonly shared: string | undefined;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** `fjord submit`: job files, folders of them, or a command. */
export const verb: Verb<Args> = {
  options: (y) => {
    jobOptions(y)
      .option("replace", {
        type: "boolean",
        default: false,
        describe: "take the place of a job of that name that is still in the queue",
      })
      .option("wait", {
        type: "boolean",
        default: false,
        describe: "until it has ended: 0 when it succeeded, 1 when not",
      })
      .option("shared", SHARED_OPTION)
      .option("dry-run", { type: "boolean", default: false, describe: "show the job files, submit nothing" })
      .option("json", JSON_OPTION)
      .example("fjord submit my-jobs/ extra.ini", "all job files of a folder, and one more")
      .example("fjord submit -- python train.py --lr 0.1", "a command, as it stands here")
      .example("fjord submit --timeout 2h -- 'make && ./plot'", "a shell line")
      .example("fjord submit --param n=1..20 -- ./train {n}", "20 jobs")
      .example("ls | fjord submit --each-line - -- ./fit {line}", "a job for each line");
    sweepOptions(y);
  },

  async run(args) {
    const before = args.after === undefined ? undefined : await openIfThere(args);
    const drafts = draftsOf(await wantedOf(args, before));
    const project = args.dryRun
      ? await openIfThere(args)
      : await openProject(args, (text) => args.json || say("fjord", text));
    const { replace, dryRun } = args;
    const show = args.json ? undefined : countOnTerminal("Submitted");
    const onProgress = show && ((done: number) => show(done, drafts.length));
    const after = (await project?.submitDrafts(drafts, { replace, dryRun, onProgress })) ?? [];
    const names = drafts.map(nameOf);
    const total = drafts.reduce((sum, { array }) => sum + (array?.size ?? 1), 0);
    if (args.json) {
      printJson(
        drafts.map(({ job, file, runs, array }) => ({
          job,
          file,
          runs: withoutSecrets(runs),
          ...(array && { size: array.size }),
        })),
      );
    } else if (args.dryRun) for (const draft of drafts) process.stdout.write(shown(draft));
    else {
      const what = total === 1 ? visible(names[0] ?? "") : `${count(total)}: ${some(names.map(visible))}`;
      say("fjord", `Submitted ${what}.`);
      const isPlain = args.files.length > 0 && drafts.every(({ array }) => array === undefined);
      if (!isPlain) for (const line of runs(drafts)) say("fjord", line);
      if (after.length > 0) {
        say("fjord", `On a worker's desk already, so that comes first: ${some(after.map(visible))}.`);
      }
    }
    if (!args.wait || args.dryRun || project === undefined) return EXIT.ok;
    const result = await waitAloud(project, args.project, drafts.flatMap(namesOfDraft));
    if (!args.json) await tellEnds(project, result, args.project);
    return exitCodeOf(result);
  },
};

/** An array's by its numbers. */
function nameOf({ job, array }: Draft): string {
  return array === undefined ? job : nameOfNumbers({ array: job, ranges: array.ranges });
}

function namesOfDraft({ job, array }: Draft): string[] {
  return namesOf([{ job, ...(array && { numbers: { array: job, ranges: array.ranges } }) }]);
}

/** What runs; of many the first and the last. */
function runs(drafts: readonly Draft[]): string[] {
  const [first, last] = [drafts[0], drafts.at(-1)].map((draft) => draft && endsOf(draft)) as [
    string[],
    string[],
  ];
  return drafts.length === 1 && first.length === 1
    ? [`Runs: ${first[0]}`]
    : [`The first runs: ${first[0]}`, `The last runs: ${last.at(-1)}`];
}

/** What the first and the last element of an array run; else what the job does. */
function endsOf({ job, array, mode, runs }: Draft): string[] {
  if (array === undefined) return [visible(withoutSecrets(runs))];
  return endsOfRanges(array.ranges).map((number) => {
    const reading = readJob(`${job}.ini`, Buffer.from(array.elements.textOf(number)), (mode & 0o111) !== 0);
    return visible(reading.ok ? withoutSecrets(reading.job.executable.replace(/ #$/, "")) : reading.reason);
  });
}

/** A trial makes nothing: where there is no project yet, no job's name is taken. */
async function openIfThere(args: Args): Promise<Project | undefined> {
  try {
    return await openExisting(args);
  } catch (error) {
    if (error instanceof FjordError && error.code === "no-such-project") return undefined;
    throw error;
  }
}

function shown(draft: Draft): string {
  const { file, content, mode, array } = draft;
  if (array !== undefined) {
    const number = array.ranges[0]?.from ?? 0;
    const first = `# its first job, ${visible(elementName(draft.job, number))}.ini\n${array.elements.textOf(number)}`;
    return `# ${visible(file)}: ${count(array.size)}\n${Buffer.from(content).toString("utf8")}\n${first}\n`;
  }
  const isText = (mode & 0o111) === 0;
  return `# ${visible(file)}\n${isText ? Buffer.from(content).toString("utf8") : "(a script)\n"}\n`;
}
