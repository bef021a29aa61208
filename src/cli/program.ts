import type { Verb } from "./verb.js";

/** A verb of a program: its usage, a description, and its file, which is loaded when the verb is called. */
export type VerbEntry = readonly [usage: string, about: string, load: () => Promise<{ verb: Verb<never> }>];

/** A program and its verbs. */
export interface Program {
  readonly name: string;
  /** Usage of the program, such as `fjord [verb]`. */
  readonly usage: string;
  readonly about: string;
  readonly verbs: readonly VerbEntry[];
  /** The verb that runs when no verb is typed. The help of the program then includes the help of this verb. */
  readonly otherwise: VerbEntry[2];
  /** Text below the program's help, beside the notes of `otherwise`. */
  readonly notes?: string;
}

export function nameOf(usage: string): string {
  return usage.split(" ", 1)[0] ?? "";
}

/** A negative number. yargs takes it as the value of the option before it: `--priority -5`. */
const NEGATIVE = /^-\d*\.?\d+$/;

/** An option that takes no further word. It is a flag that every command has, or includes its value: `--lines=3`, `-n3`. */
const COMPLETE_OPTION = /^(?:-h|--help|--version|--no-.*|.*=.*|-[A-Za-z]+-?\d.*)$/s;

/**
 * Index of the verb, which is the first word that is neither an option nor the value of an option; -1 if there is no verb. The
 * options depend on the verb. So an option before the verb is assumed to take the next word as its value, as in yargs.
 */
export function verbAt(words: readonly string[]): number {
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (word === "--") return -1;
    if (!isOption(word)) return i;
    if (!COMPLETE_OPTION.test(word) && !isOption(words[i + 1] ?? "")) i++;
  }
  return -1;
}

function isOption(word: string): boolean {
  return word.startsWith("-") && !NEGATIVE.test(word);
}
