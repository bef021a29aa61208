import type { Options } from "yargs";
import { misuse, YARGS_STRINGS } from "./misuse.js";
import { camelCaseOf, PROJECT_OPTION } from "./option.js";
import type { VerbHelp } from "./verb.js";
import { version } from "./version.js";

/** Largest width of a help text in columns, also used where there is no terminal. */
const WIDEST = 100;

/** The command whose words are read. */
export interface Command {
  /** The program: `fjord`, `recruiter`, `dispatcher` or `worker`. */
  readonly program: string;
  /** Usage of the command, such as `fjord cancel [jobs..]`. */
  readonly usage: string;
  /** Description of the command. */
  readonly about: string;
  readonly help: VerbHelp;
  /** All words as they were typed. */
  readonly typed: readonly string[];
  /** Names of the program's verbs. A mistyped word may mean one of them. */
  readonly verbs: readonly string[];
  /** Verbs that the help lists, each with a line that says what it does. */
  readonly listed?: readonly (readonly [usage: string, about: string, ...unknown[]])[];
}

/**
 * Reads the words of a command, which begin after the verb. `--help` and `--version` print their text and end the process.
 *
 * The command is declared as the default command of a parser of its own, not as one of many subcommands: yargs renders the
 * whole help after each subcommand, which is a seventh of the CPU time of a short command.
 *
 * @throws FjordError `bad-usage`
 */
export async function parse(command: Command, words: readonly string[]): Promise<Record<string, unknown>> {
  const { default: yargs } = await import("yargs");
  const { program, usage, help } = command;
  const [name = program] = /^[^[<]+(?= |$)/.exec(usage) ?? [];
  const parser = yargs([], "/") // without it, yargs asks for the current directory, which may be gone
    .scriptName(name)
    .updateStrings(YARGS_STRINGS as unknown as Record<string, string>) // the types of yargs lack plurals
    .usage(`${usage}\n\n${command.about}`)
    .option("project", PROJECT_OPTION)
    .version(version())
    .help()
    .alias("help", "h")
    .middleware((args) => keepLast(args, help.options), true)
    .strict()
    .wrap(Math.min(WIDEST, process.stdout.columns || WIDEST))
    .epilogue(help.notes ?? "")
    .fail((said, error) => {
      if (error !== undefined && error.name !== "YError") throw error;
      const options = ["project", "version", "help", ...Object.keys(help.options)];
      throw misuse(said, { name: program, usage, args: command.typed, options, commands: command.verbs });
    })
    .exitProcess(true);
  for (const [verb, about] of command.listed ?? []) parser.command(verb, about);
  parser.command(help.words === undefined ? "$0" : `$0${usage.slice(name.length)}`, false, (own) => {
    for (const [word, declared] of Object.entries(help.words ?? {})) own.positional(word, declared);
    for (const [line, does] of help.examples) own.example(line, does);
    return own.options(help.options);
  });
  return { ...(await parser.parseAsync(words)) };
}

/**
 * Keeps only the last value if an option that takes one value was typed several times, as in
 * `fjord wait --timeout 1h --timeout 2h`. Without this function, yargs makes a list of the values. The yargs setting
 * `duplicate-arguments-array` would also keep only the last value of the options that take several values.
 */
function keepLast(args: Record<string, unknown>, options: Readonly<Record<string, Options>>): void {
  const one = { project: PROJECT_OPTION, ...options };
  for (const [name, { array }] of Object.entries<Options>(one)) {
    for (const key of [name, camelCaseOf(name)]) {
      const value = args[key];
      if (array !== true && Array.isArray(value)) args[key] = value.at(-1);
    }
  }
}
