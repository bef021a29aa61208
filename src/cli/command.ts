import yargs, { type Argv } from "yargs";
import { hideBin } from "yargs/helpers";
import { FjordError } from "../job/error.js";
import { nearest } from "../job/nearest.js";
import { toType } from "../project/to-type.js";
import { version } from "./version.js";

export { EXIT, main, mainOfDaemon, say } from "./main.js";
export { defaultDirectory, openExisting, openProject, openToLook } from "./open.js";

/** How a shell's script asks what may follow; complete.ts. */
export const COMPLETE = "--complete-words";

const UNKNOWN = /^Unknown arguments?: (.+)$/;

/** What was meant by the first unknown word that is near to an option, or to a command if it has no dash. */
function meant(message: string, args: readonly string[], options: string[], commands: string[]): string {
  for (const word of UNKNOWN.exec(message)?.[1]?.split(", ") ?? []) {
    const isOption = args.some((arg) => arg.startsWith("-") && arg.replace(/^-+/, "").startsWith(word));
    const near = nearest(word, isOption ? options : commands);
    if (near !== undefined) return `Did you mean ${isOption ? "--" : ""}${near}? `;
  }
  return "";
}

/** The names of the options that hold for the command that is being parsed. */
function optionsOf(parser: Argv): string[] {
  // In every version of yargs, and missing in its types.
  const { key } = (parser as unknown as { getOptions(): { key: Record<string, unknown> } }).getOptions();
  return Object.keys(key).filter((name) => name.length > 1 && name === name.toLowerCase());
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
    .strict()
    .wrap(Math.min(100, process.stdout.columns || 100))
    .epilogue(epilogue)
    .fail((message, error) => {
      if (error !== undefined && error.name !== "YError") throw error;
      const near = meant(message, hideBin(process.argv), optionsOf(parser), commands);
      throw new FjordError("bad-usage", message, `${near}${name} --help shows what there is.`);
    })
    .exitProcess(true) as Argv<{ project: string | undefined }>;
}

/** The same refusal; the command that its hint begins with is for the project that was named. */
export function repeatProject(error: unknown, project: string | undefined): unknown {
  if (!(error instanceof FjordError)) return error;
  const hint = error.hint.replace(/^(?:fjord|recruiter) (?:list|show)\b/, (found) => toType(found, project));
  return new FjordError(error.code, error.message, hint, { cause: error.cause });
}
