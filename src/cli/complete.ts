import type { Argv } from "yargs";
import { COMPLETE } from "./command.js";
import { openToLook } from "./open.js";

/** Names that are offered at once. */
const MOST = 1000;

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
  const known = knownTo(y, words);
  const { boolean, choices, key } = optionsOf(y);
  const option = /^--(.+)$/.exec(words.at(-2) ?? "")?.[1];
  if (option !== undefined && option in key && !boolean.includes(option)) {
    if (option in choices) return known;
    return option === "project"
      ? (await import("../project/locate.js")).projects(process.env, process.cwd())
      : [];
  }
  if (current.startsWith("-")) return known;
  const usage = usages.find((each) => words.slice(0, -1).includes(each.split(" ", 1)[0] ?? ""));
  if (usage === undefined || !/[[<]/.test(usage)) return known;
  const named = known.filter((candidate) => !candidate.startsWith("-"));
  if (/\bjobs\b/.test(usage)) return [...named, ...(await names(words, "jobs"))];
  if (/\bworkers\b/.test(usage)) return [...named, ...(await names(words, "workers"))];
  return named;
}

/** What yargs itself knows: verbs, options, choices. It takes the first word for the program. */
function knownTo(y: Argv, words: readonly string[]): Candidate[] {
  const said: string[] = [];
  // It is called for the command and for its verb.
  y.parse(["--get-yargs-completions", "", ...words], {}, (_error, _argv, output) => {
    said.push(output);
  });
  return said
    .join("\n")
    .split("\n")
    .filter((line) => line !== "");
}

function optionsOf(y: Argv) {
  // In every version of yargs, and missing in its types.
  return (
    y as unknown as {
      getOptions(): { boolean: string[]; choices: Record<string, unknown>; key: Record<string, unknown> };
    }
  ).getOptions();
}

/** A shell that completes hears of no trouble. */
async function names(words: readonly string[], of: "jobs" | "workers"): Promise<string[]> {
  const at = words.indexOf("--project");
  try {
    const project = await openToLook({ project: at < 0 ? undefined : words[at + 1] });
    if (project === undefined) return [];
    if (of === "workers") return (await project.workers()).map(({ worker }) => worker);
    return (await project.jobs()).map(({ job }) => job);
  } catch {
    return [];
  }
}
