import type { Options } from "yargs";
import type { JobState } from "../jobs/places.js";
import type { Project } from "../library/project.js";
import { currentDirectory } from "../project/current-directory.js";
import { openToRead } from "./open-project.js";
import { flag, PROJECT_OPTION } from "./option.js";
import { nameOf, type Program, verbAt } from "./program.js";
import type { VerbHelp } from "./verb.js";

/** Largest number of candidates that are printed. A longer list in a shell is of no use. */
const MOST = 1000;

/**
 * States of the jobs on which a verb can act. Only the directories of these states are listed. A verb that is missing here takes
 * jobs in all states.
 */
const STATES: Readonly<Record<string, readonly JobState[]>> = {
  cancel: ["waiting", "held", "running", "retrying"],
  hold: ["waiting", "retrying"],
  edit: ["waiting", "held", "retrying"],
  release: ["held"],
  retry: ["failed", "cancelled"],
  clean: ["done", "failed", "cancelled"],
  results: ["done", "failed", "cancelled"],
};

/** Options of every command. */
const EVERYWHERE: Readonly<Record<string, Options>> = {
  project: PROJECT_OPTION,
  version: flag("show the version"),
  help: { ...flag("show this help"), alias: "h" },
};

/** A candidate: a word that may follow, a tab, and the word's meaning. */
type Candidate = string;

/** The words of a command line. The last word is unfinished and often empty. */
interface Line {
  readonly words: readonly string[];
  readonly current: string;
  /** Name of the verb; empty while no verb is typed. */
  readonly verb: string;
  readonly help: VerbHelp;
}

/**
 * Answers the scripts of the shells, which call `COMMAND --complete-words WORD…`. Prints a line for each word that may replace
 * the last one. Where the shell itself must complete the word, as for files, no line is printed.
 */
export async function complete(program: Program, typed: readonly string[]): Promise<void> {
  const words = joined(typed).flatMap(parted);
  const current = words.at(-1) ?? "";
  if (words.slice(0, -1).includes("--")) return; // a command follows
  const at = verbAt(words.slice(0, -1));
  const entry = program.verbs.find(([usage]) => nameOf(usage) === words[at]);
  const { verb: help } = await (entry?.[2] ?? program.otherwise)();
  const line = { words, current, verb: nameOf(entry?.[0] ?? ""), help };
  const candidates =
    (await optionValues(line)) ??
    (current.startsWith("-")
      ? optionNames(line)
      : entry === undefined && program.verbs.length > 0
        ? program.verbs.map(([usage, about]) => `${nameOf(usage)}\t${about}`)
        : await wordsFor(line));
  // A shell replaces the whole word by the candidate, so the candidate must include `--option=`.
  const [option, ...values] = parted(typed.at(-1) ?? "");
  const before = values.length > 0 ? `${option}=` : "";
  for (const candidate of candidates.filter((one) => one.startsWith(current)).slice(0, MOST)) {
    process.stdout.write(`${before}${candidate}\n`);
  }
}

/** Joins `--option`, `=` and `value`, as the script of earlier versions for bash sends them. */
function joined(words: readonly string[]): string[] {
  const whole = words.filter((word) => word !== "=");
  return words.at(-1) === "=" ? [...whole, ""] : whole;
}

/** Splits `--option=value` into two words. */
function parted(word: string): string[] {
  const [, option, value] = /^(--[a-z][a-z-]*)=(.*)$/s.exec(word) ?? [];
  return option === undefined || value === undefined ? [word] : [option, value];
}

function optionsOf({ help }: Line): [name: string, option: Options][] {
  return Object.entries({ ...EVERYWHERE, ...help.options });
}

/** `--lines` and `-n`. */
function spellingsOf([name, { alias }]: readonly [name: string, option: Options]): string[] {
  return alias === undefined ? [`--${name}`] : [`--${name}`, `-${alias}`];
}

/** Each option that is not typed yet, with its name and its letter. */
function optionNames(line: Line): Candidate[] {
  return optionsOf(line)
    .filter(([, { hidden }]) => hidden !== true)
    .map((option) => ({ spellings: spellingsOf(option), describe: option[1].describe }))
    .filter(({ spellings }) => !spellings.some((one) => line.words.slice(0, -1).includes(one)))
    .flatMap(({ spellings, describe }) => spellings.map((one) => `${one}\t${describe}`));
}

/** The values of the option before the current word; undefined if the word before is not an option that takes a value. */
async function optionValues(line: Line): Promise<Candidate[] | undefined> {
  const { words, current } = line;
  const before = words.at(-2);
  const [name, option] =
    optionsOf(line).find((one) => before !== undefined && spellingsOf(one).includes(before)) ?? [];
  if (option === undefined || option.type === "boolean") return undefined;
  if (option.choices !== undefined) return option.choices.map(String);
  switch (name) {
    case "project":
      return (await import("../project/locate.js")).projects(process.env, currentDirectory);
    case "after":
      return jobs(words);
    case "state": {
      const { END_STATES, JOB_STATES } = await import("../jobs/places.js");
      const others = current.slice(0, current.lastIndexOf(",") + 1); // several states are separated by commas
      return [...(line.verb === "clean" ? END_STATES : JOB_STATES)].map((state) => others + state);
    }
    default:
      return [];
  }
}

/** The words that a verb takes; its options if it takes no words. */
async function wordsFor(line: Line): Promise<Candidate[]> {
  const { help, words, verb } = line;
  if (help.words === undefined) return optionNames(line);
  const choices = Object.values(help.words).flatMap(({ choices = [] }) => choices.map(String));
  if ("jobs" in help.words) return jobs(words, STATES[verb]);
  if ("workers" in help.words) return workers(words);
  return choices;
}

function jobs(words: readonly string[], states?: readonly JobState[]): Promise<string[]> {
  return names(words, async (project) =>
    (await project.jobs([], states && new Set(states))).map((place) =>
      place.kind === "numbers" ? place.numbers.array : place.job,
    ),
  );
}

function workers(words: readonly string[]): Promise<string[]> {
  return names(words, async (project) => (await project.workers()).map(({ worker }) => worker));
}

/**
 * Names from the project that the words name. After an error the result has no names, because a shell cannot show a message here.
 */
async function names(
  words: readonly string[],
  of: (project: Project) => Promise<string[]>,
): Promise<string[]> {
  const at = words.indexOf("--project");
  try {
    const project = await openToRead({ project: at < 0 ? undefined : words[at + 1] });
    return project === undefined ? [] : await of(project);
  } catch {
    return [];
  }
}
