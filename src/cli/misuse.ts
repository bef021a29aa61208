import { FjordError } from "../job/error.js";
import { nearest } from "../job/nearest.js";
import { visible } from "../job/quote.js";
import { commandLineOf, shellWord } from "../job/shell-words.js";
import { isThere } from "../project/locate.js";

/** The command that was called, as it was typed, and what it knows. */
export interface Call {
  readonly name: string;
  readonly args: readonly string[];
  /** Names of its options, without dashes. */
  readonly options: readonly string[];
  /** Names of its subcommands. */
  readonly commands: readonly string[];
}

/** What yargs says of a command line that it cannot take. */
const UNKNOWN = /^Unknown arguments?: (.+)$/;
const NO_VALUE = /^Not enough arguments following: (.+)$/;
const NO_CHOICE = /^Invalid values:\s+Argument: (.+), Given: (.+), Choices: (.+)$/m;

/** A refusal of a command line in one line: what was found, with its dashes, and what would do. */
export function misuse(said: string, call: Call): FjordError {
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
  const hint = `${name} --help shows what there is.`;
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

/** With its dashes; undefined for the other spelling of an option that yargs knows (`statusOnly`). */
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

/** `fjord hire 2` is the recruiter's business. */
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
  return isThere(word, process.env, process.cwd()) ? `--project ${shellWord(word)}` : undefined;
}
