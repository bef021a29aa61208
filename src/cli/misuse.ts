import { FjordError } from "../job/error.js";
import { nearest } from "../job/nearest.js";
import { visible } from "../job/quote.js";
import { commandLineOf, shellWord } from "../job/shell-words.js";
import { currentDirectory } from "../project/current-directory.js";
import { isThere } from "../project/locate.js";

/** The words of a command line, and the options and verbs that exist. */
export interface Call {
  /** The program. */
  readonly name: string;
  /** Usage of the command, such as `fjord progress <done> [text..]`. */
  readonly usage: string;
  readonly args: readonly string[];
  /** Names of the command's options, without dashes. */
  readonly options: readonly string[];
  /** Names of the program's verbs. */
  readonly commands: readonly string[];
}

/**
 * Texts with which yargs reports an invalid command line, for its method `updateStrings`. yargs calls the failure handler with a
 * text, but without a code. So fjord sets these texts itself, in every language, and `misuse` reads them.
 */
export const YARGS_STRINGS = {
  "Unknown argument: %s": { one: "unknown: %s", other: "unknown: %s" },
  "Not enough arguments following: %s": "no value: %s",
  "Not enough non-option arguments: got %s, need at least %s": {
    one: "missing: %s of %s",
    other: "missing: %s of %s",
  },
  "Invalid values:": "no choice:",
  "Argument: %s, Given: %s, Choices: %s": "%s\t%s\t%s",
};
const UNKNOWN = /^unknown: (.+)$/s;
const NO_VALUE = /^no value: (.+)$/s;
const MISSING = /^missing: /;
const NO_CHOICE = /^no choice:\s+(.+)\t(.+)\t(.+)$/m;

/** Turns a refusal of yargs into one line, which names the word that was found, with its dashes, and the possible words. */
export function misuse(said: string, call: Call): FjordError {
  if (MISSING.test(said)) return refusal(call, `An argument is missing: ${call.usage}`);
  const [, unknown] = UNKNOWN.exec(said) ?? [];
  if (unknown !== undefined) return refusal(call, ...unknownWords(unknown.split(", "), call));
  const [, lonely] = NO_VALUE.exec(said) ?? [];
  if (lonely !== undefined) return refusal(call, `${dashed(lonely)} needs a value, and none was found.`);
  const [, option, found = "", choices = ""] = NO_CHOICE.exec(said) ?? [];
  if (option === undefined) return refusal(call, said);
  const known = choices.replaceAll('"', "");
  const near = nearest(found.replaceAll('"', ""), known.split(", "));
  const isTyped = call.args.some((arg) => arg.split("=", 1)[0] === dashed(option));
  const what = isTyped ? dashed(option) : `Argument ${option}`;
  return refusal(call, `${what}: found ${visible(found)}; it can be ${known}.`, near);
}

function refusal({ name }: Call, message: string, meant?: string): FjordError {
  const hint = `${name} --help lists the possible words.`;
  return new FjordError("bad-usage", message, meant === undefined ? hint : `Did you mean ${meant}? ${hint}`);
}

function unknownWords(said: readonly string[], call: Call): [message: string, meant: string | undefined] {
  const typed = said.map((word) => asTyped(word, call.args)).filter((word) => word !== undefined);
  const isOption = (word: string) => word.startsWith("-");
  const found = typed.length > 0 ? typed : said;
  const words = [...found.filter((word) => !isOption(word)), ...found.filter(isOption)];
  const noun = words.every(isOption) ? "option" : "argument";
  return [
    `Unknown ${noun}${words.length === 1 ? "" : "s"}: ${words.map(visible).join(", ")}`,
    words.map((word) => meantBy(word, call)).find((meant) => meant !== undefined),
  ];
}

/**
 * Finds a word that yargs reports as the user typed it, with its dashes; undefined for yargs' other spelling of an option
 * (`statusOnly`).
 */
function asTyped(word: string, args: readonly string[]): string | undefined {
  if (args.includes(word)) return word;
  const options = args.filter((arg) => arg.startsWith("-")).map((arg) => arg.split("=", 1)[0] ?? "");
  const long = options.find((option) => option.replace(/^-+(?:no-)?/, "") === word);
  if (long !== undefined) return long;
  return word.length === 1 && options.some((option) => option.includes(word)) ? `-${word}` : undefined;
}

function dashed(option: string): string {
  return `${option.length === 1 ? "-" : "--"}${option}`;
}

function meantBy(word: string, call: Call): string | undefined {
  if (word.startsWith("-")) {
    const near = nearest(word.replace(/^-+/, ""), call.options);
    return near && dashed(near);
  }
  return otherCommand(word, call) ?? projectOf(word, call) ?? nearest(word, call.commands);
}

/** The command line of the other program that was meant: `fjord hire 2` means `recruiter hire 2`. */
function otherCommand(word: string, { name, args }: Call): string | undefined {
  if (name !== "fjord") return undefined;
  const others = args[0] === "help" ? ["--help"] : args.filter((arg) => arg !== word);
  switch (word) {
    case "hire":
    case "fire":
      return commandLineOf(["recruiter", word, ...others]);
    case "recruiter":
    case "dispatcher":
    case "worker":
      return commandLineOf([word, ...others]);
    case "dispatch":
      return commandLineOf(["dispatcher", ...others]);
    default:
      return undefined;
  }
}

function projectOf(word: string, { args }: Call): string | undefined {
  if (args.some((arg) => arg.startsWith("--project"))) return undefined;
  return isThere(word, process.env, currentDirectory) ? `--project ${shellWord(word)}` : undefined;
}
