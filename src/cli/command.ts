import yargs, { type Argv } from "yargs";
import { hideBin } from "yargs/helpers";
import { FjordError } from "../job/error.js";
import { toType } from "../project/to-type.js";
import { misuse } from "./misuse.js";
import { version } from "./version.js";

export { EXIT, main, mainOfDaemon, say } from "./main.js";
export { defaultDirectory, openExisting, openProject, openToLook, SHARED_OPTION } from "./open.js";

/** How a shell's script asks what may follow; complete.ts. */
export const COMPLETE = "--complete-words";

/** What is declared for the command that is being parsed. */
function declared(parser: Argv): {
  readonly key: Record<string, unknown>;
  readonly array: readonly string[];
} {
  // In every version of yargs, and missing in its types.
  return (
    parser as unknown as { getOptions(): { key: Record<string, unknown>; array: string[] } }
  ).getOptions();
}

/**
 * After each command yargs renders its help, for a failure that it might have to tell of; here those are told without it.
 * That was a seventh of the CPU time that a short command took.
 */
function renderNoHelpUnasked(parser: Argv): void {
  // Not in yargs' types; where it is not there, commands are as slow as they were.
  const { getInternalMethods } = parser as {
    getInternalMethods?(): { getUsageInstance?(): { cacheHelpMessage?(): void } };
  };
  const usage = getInternalMethods?.call(parser).getUsageInstance?.();
  if (usage !== undefined) usage.cacheHelpMessage = () => undefined;
}

/** The names of the options that hold for the command that is being parsed. */
function optionsOf(parser: Argv): string[] {
  return Object.keys(declared(parser).key).filter((name) => name.length > 1 && name === name.toLowerCase());
}

/** Of an option that takes one value and was given several times the last one counts; yargs would make an array of them. */
function lastOneWins(args: Record<string, unknown>, parser: Argv): void {
  const { key, array } = declared(parser);
  for (const [name, value] of Object.entries(args)) {
    const option = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`); // yargs has `olderThan`, too
    if (Array.isArray(value) && option in key && !array.includes(option)) args[name] = value.at(-1);
  }
}

/**
 * The parser that all commands share: usage errors are told with what to do, help has examples.
 *
 * @param commands the names of its subcommands, one of which a mistyped one may have been meant for
 */
export function parser(
  name: string,
  usage: string,
  epilogue: string,
  commands: string[] = [],
): Argv<{ project: string | undefined }> {
  if (process.argv[2] === COMPLETE) process.env.SHELL = "fish"; // then yargs tells what the words mean, too
  const parser = yargs();
  renderNoHelpUnasked(parser);
  return parser
    .scriptName(name)
    .usage(usage)
    .option("project", {
      type: "string",
      requiresArg: true,
      describe:
        "the project: a name below $FJORD_HOME (~/.fjord), or a path with a / in it [$FJORD_PROJECT, or default]",
      global: true,
    })
    .version(version())
    .help()
    .alias("help", "h")
    .middleware((args) => lastOneWins(args, parser), true)
    .strict()
    .wrap(Math.min(100, process.stdout.columns || 100))
    .epilogue(epilogue)
    .fail((message, error) => {
      if (error !== undefined && error.name !== "YError") throw error;
      throw misuse(message, { name, args: hideBin(process.argv), options: optionsOf(parser), commands });
    })
    .exitProcess(true) as Argv<{ project: string | undefined }>;
}

/** `fjord help submit` is `fjord submit --help`. What is no command is left for the parser to refuse. */
export function helpMeant(words: readonly string[], commands: readonly string[]): readonly string[] {
  const [first, command = ""] = words;
  if (first !== "help") return words;
  if (command === "" || command.startsWith("-")) return ["--help"];
  return commands.includes(command) ? [command, "--help"] : [command];
}

/** The same refusal; the command that its hint begins with is for the project that was named. */
export function repeatProject(error: unknown, project: string | undefined): unknown {
  if (!(error instanceof FjordError)) return error;
  const hint = error.hint.replace(/^(?:fjord|recruiter) (?:list|show)\b/, (found) => toType(found, project));
  return new FjordError(error.code, error.message, hint, { cause: error.cause });
}
