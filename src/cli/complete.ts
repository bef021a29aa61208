import type { Argv } from "yargs";
import type { Project } from "../compose/project.js";
import type { JobState } from "../report/jobs.js";
import { COMPLETE } from "./command.js";
import { openToLook } from "./open.js";

/** Names that are offered at once. */
const MOST = 1000;

/** In which states jobs are of use to a verb; to the others all are. Only these directories are listed. */
const STATES: Readonly<Record<string, readonly JobState[]>> = {
  cancel: ["waiting", "held", "running", "retrying"],
  hold: ["waiting", "retrying"],
  edit: ["waiting", "held", "retrying"],
  release: ["held"],
  retry: ["failed", "cancelled"],
  clean: ["done", "failed", "cancelled"],
  results: ["done", "failed", "cancelled"],
};

/** A word that may follow, a tab, and what it means. */
type Candidate = string;

/**
 * What the shells' scripts ask: `COMMAND --complete-words WORD…`, the last one unfinished, often empty. Prints a line for
 * each word that may stand there; none where only the shell knows, as with files.
 *
 * @param y knows verbs, options and choices
 * @param usages of the verbs, which tell by the name of an argument whether it is a job or a worker
 */
export async function complete(y: Argv, usages: readonly string[]): Promise<void> {
  const words = finish(process.argv.slice(process.argv.indexOf(COMPLETE) + 1));
  const current = words.at(-1) ?? "";
  const candidates = words.slice(0, -1).includes("--") ? [] : await candidatesFor(y, usages, words, current);
  for (const candidate of candidates.filter((one) => one.startsWith(current)).slice(0, MOST)) {
    process.stdout.write(`${candidate}\n`);
  }
}

/** bash makes three words of `--option=value`. */
function finish(words: readonly string[]): string[] {
  const whole = words.filter((word) => word !== "=");
  return words.at(-1) === "=" ? [...whole, ""] : whole;
}

async function candidatesFor(
  y: Argv,
  usages: readonly string[],
  words: readonly string[],
  current: string,
): Promise<Candidate[]> {
  const { known, options } = knownTo(y, words);
  const option = /^--?([^-].*)$/.exec(words.at(-2) ?? "")?.[1];
  if (option !== undefined && option in options.key && !options.boolean.includes(option)) {
    return option in options.choices ? known : valuesOf(option, words, current);
  }
  if (current.startsWith("-")) return known;
  const usage = usages.find((each) => words.slice(0, -1).includes(verbOf(each)));
  if (usage === undefined || !/[[<]/.test(usage)) return known;
  const named = known.filter((candidate) => !candidate.startsWith("-"));
  if (/\bjobs\b/.test(usage)) return [...named, ...(await jobs(words, STATES[verbOf(usage)]))];
  if (/\bworkers\b/.test(usage)) return [...named, ...(await workers(words))];
  return named;
}

function verbOf(usage: string): string {
  return usage.split(" ", 1)[0] ?? "";
}

/** Of an option that takes one and has no choices; none where only the shell knows, as with files. */
async function valuesOf(option: string, words: readonly string[], current: string): Promise<Candidate[]> {
  switch (option) {
    case "project":
      return (await import("../project/locate.js")).projects(process.env, process.cwd());
    case "after":
      return jobs(words);
    case "state": {
      const { ENDS, JOB_STATES } = await import("../report/jobs.js");
      const before = current.slice(0, current.lastIndexOf(",") + 1); // several, with commas
      return [...(words.includes("clean") ? ENDS : JOB_STATES)].map((state) => before + state);
    }
    default:
      return [];
  }
}

interface Options {
  readonly key: Readonly<Record<string, unknown>>;
  readonly boolean: readonly string[];
  readonly choices: Readonly<Record<string, unknown>>;
}

/** What yargs itself knows: verbs, options, choices; and the options of the verb. It takes the first word for the program. */
function knownTo(y: Argv, words: readonly string[]): { known: Candidate[]; options: Options } {
  const said: string[] = [];
  let options: Options = { key: {}, boolean: [], choices: {} };
  // It is called for the command and for its verb, whose options it forgets when it comes back.
  y.parse(["--get-yargs-completions", "", ...words], {}, (_error, _argv, output) => {
    said.push(output);
    // In every version of yargs, and missing in its types.
    options = (y as unknown as { getOptions(): Options }).getOptions();
  });
  const known = said
    .join("\n")
    .split("\n")
    .filter((line) => line !== "");
  return { known, options };
}

function jobs(words: readonly string[], states?: readonly JobState[]): Promise<string[]> {
  return names(words, async (project) =>
    (await project.jobs([], states && new Set(states))).map(({ job, numbers }) => numbers?.array ?? job),
  );
}

function workers(words: readonly string[]): Promise<string[]> {
  return names(words, async (project) => (await project.workers()).map(({ worker }) => worker));
}

/** A shell that completes hears of no trouble. */
async function names(
  words: readonly string[],
  of: (project: Project) => Promise<string[]>,
): Promise<string[]> {
  const at = words.indexOf("--project");
  try {
    const project = await openToLook({ project: at < 0 ? undefined : words[at + 1] });
    return project === undefined ? [] : await of(project);
  } catch {
    return [];
  }
}
