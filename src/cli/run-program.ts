import { FjordError } from "../job/error.js";
import { toType } from "../project/to-type.js";
import { EXIT } from "./main.js";
import { defaultsOf } from "./option.js";
import type { Command } from "./parser.js";
import { nameOf, type Program, type VerbEntry, verbAt } from "./program.js";
import type { Verb } from "./verb.js";

/** First word of a request from a shell's completion script for the words that may follow (`complete.ts`). */
const COMPLETE = "--complete-words";

/** Runs the verb that the words name. @returns the exit code */
export async function runProgram(program: Program, typed: readonly string[]): Promise<number> {
  if (typed[0] === COMPLETE) {
    const { complete } = await import("./complete.js");
    await complete(program, typed.slice(1));
    return EXIT.ok;
  }
  const names = program.verbs.map(([usage]) => nameOf(usage));
  const meant = helpMeant(typed, names);
  const at = verbAt(meant);
  const entry = program.verbs.find(([usage]) => nameOf(usage) === meant[at]);
  const { verb } = await (entry?.[2] ?? program.otherwise)();
  const { words, behind } = parted(entry === undefined ? meant : meant.toSpliced(at, 1), verb);
  const parsed = await read({ ...commandOf(program, entry, verb), typed, verbs: names }, words);
  const args = { ...parsed, ...wordsBehind(parsed, behind), verb: nameOf(entry?.[0] ?? "") };
  return verb.run(args as never).catch((error) => {
    throw repeatProject(error, parsed.project as string | undefined);
  });
}

/** Reads the words of a command. Loading yargs takes as long as the start of Node, and without words there is nothing to read. */
async function read(command: Command, words: readonly string[]): Promise<Record<string, unknown>> {
  if (words.length === 0 && command.help.words === undefined) return defaultsOf(command.help.options);
  const { parse } = await import("./parser.js");
  return parse(command, words);
}

/** Usage and help of a verb, or of the program and the verb that runs when no verb is typed. */
function commandOf(program: Program, entry: VerbEntry | undefined, verb: Verb<never>) {
  const { name, about, verbs } = program;
  if (entry !== undefined)
    return { program: name, usage: `${name} ${entry[0]}`, about: entry[1], help: verb };
  const notes = [verb.notes, program.notes].filter((text) => text !== undefined).join("\n");
  return { program: name, usage: program.usage, about, help: { ...verb, notes }, listed: verbs };
}

/**
 * Separates the words after `--` for a verb that takes jobs or a command. yargs would convert numbers among these words to
 * another notation (`1e3`, `0x10`), and a command must not change.
 */
function parted(words: readonly string[], verb: Verb<never>): { words: readonly string[]; behind: string[] } {
  const end = words.indexOf("--");
  const takesBehind = verb.words !== undefined && ("jobs" in verb.words || "files" in verb.words);
  if (end < 0 || !takesBehind) return { words, behind: [] };
  return { words: words.slice(0, end), behind: words.slice(end + 1) };
}

/** The words after `--` are names of jobs that look like options, or a command. */
function wordsBehind({ jobs }: Record<string, unknown>, behind: readonly string[]): object {
  return Array.isArray(jobs) ? { jobs: [...jobs, ...behind] } : { behind };
}

/** Reads `fjord help submit` as `fjord submit --help`. The parser refuses a word that is not a verb. */
function helpMeant(words: readonly string[], verbs: readonly string[]): readonly string[] {
  const [first, verb = ""] = words;
  if (first !== "help") return words;
  if (verb === "" || verb.startsWith("-")) return ["--help"];
  return verbs.includes(verb) ? [verb, "--help"] : [verb];
}

/** Adds the option `--project` to the command at the beginning of a hint, if the user named a project. */
function repeatProject(error: unknown, project: string | undefined): unknown {
  if (!(error instanceof FjordError)) return error;
  const hint = error.hint.replace(/^(?:fjord|recruiter) (?:list|show)\b/, (found) => toType(found, project));
  return new FjordError(error.code, error.message, hint, { cause: error.cause });
}
