import { FjordError } from "../job/error.js";
import { newJobText } from "../job/job-text.js";
import { quote } from "../job/quote.js";
import { shellQuote, withoutLineBreaks } from "../job/shell-words.js";
import type { Values } from "../job/sweep.js";

const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Returns a command line in a form that an ini file can hold. The worker appends the path of the job file. The # at the end
 * makes that path a comment.
 */
export function asExecutable(line: string): string {
  const executable = `${line} #`;
  return !/\p{Cc}/u.test(line) || isHeld(executable) ? executable : `${withoutLineBreaks(line)} #`;
}

function isHeld(executable: string): boolean {
  try {
    newJobText({ executable });
    return true;
  } catch (error) {
    if (error instanceof FjordError) return false;
    throw error;
  }
}

/**
 * Assignments before a simple command apply to this command. For a longer command line they must be exported (POSIX shell,
 * 2.9.1).
 */
export function withEnvironment(
  line: string,
  isSimple: boolean,
  env: Readonly<Record<string, string>> = {},
): string {
  const assignments = Object.entries(env).map(([name, value]) => {
    if (ENV_NAME.test(name)) return `${name}=${shellQuote(value)}`;
    throw new FjordError(
      "bad-usage",
      `${quote(name)} is not a name for an environment variable.`,
      "--env NAME=VALUE",
    );
  });
  if (assignments.length === 0) return line;
  return isSimple ? `${assignments.join(" ")} ${line}` : `export ${assignments.join(" ")}; ${line}`;
}

/** Refuses values that were not UTF-8. Node has replaced such bytes by U+FFFD, and the job would get this character instead. */
export function refuseLost(env: Readonly<Record<string, string>> = {}, params: Values = new Map()): void {
  const lost = [...Object.entries(env), ...params].find(([, value]) => value.includes("\uFFFD"));
  if (lost === undefined) return;
  throw new FjordError(
    "bad-usage",
    `The value of ${quote(lost[0])} is not valid UTF-8, so no job file can hold it.`,
    "Put the value into a script, or into the environment in which the workers are hired.",
  );
}
