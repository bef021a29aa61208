import { SH } from "../job/shell.js";
import { shellQuote } from "../job/shell-words.js";
import { isExecutable } from "../project/executable.js";

/** How a launcher shell is started so that jobs get the worker's own environment. */
export interface Inherited {
  /** Program and options of the launcher shell. */
  readonly program: readonly [string, ...string[]];
  /** Commands that the shell reads first. */
  readonly prologue: Buffer;
}

/** Name that a shell can assign to. dash drops variables with other names, and its children do not get them. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** bash as `/bin/sh`: it passes on every variable, and reads none of the user's start-up files. */
const BASH = ["/bin/bash", "--posix"] as const;

/** For an environment that Node can pass on as it is. */
export const PLAIN: Inherited = { program: [SH], prologue: Buffer.alloc(0) };

/**
 * @param names of all variables in the worker's environment, also those of exported bash functions (`BASH_FUNC_module%%`)
 * @param foreign variables whose values are not UTF-8, with their bytes. Node has changed these values in `process.env`.
 */
export function inheritedFrom(names: readonly string[], foreign: ReadonlyMap<string, Buffer>): Inherited {
  const program = names.every((name) => NAME.test(name)) || !isExecutable(BASH[0]) ? PLAIN.program : BASH;
  const exports = [...foreign]
    .filter(([name]) => NAME.test(name))
    .map(([name, value]) => exportOf(name, value));
  return { program, prologue: Buffer.concat(exports) };
}

/** Converts through latin1, which has a character for each byte, so that every byte stays as it is. */
function exportOf(name: string, value: Buffer): Buffer {
  return Buffer.from(`export ${name}=${shellQuote(value.toString("latin1"))}\n`, "latin1");
}
