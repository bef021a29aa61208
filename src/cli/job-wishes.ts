import { FjordError } from "../job/error.js";
import { wrongIn } from "../job/job-text.js";
import { quote } from "../job/quote.js";
import { fromHere } from "../project/current-directory.js";
import type { JobWishes } from "../submission/draft.js";

const CHECKED = ["priority", "retries", "timeout", "nice", "shell"] as const;

export interface WishArgs {
  readonly logfile: string | undefined;
  readonly workdir: string | undefined;
  readonly priority: string | undefined;
  readonly retries: string | undefined;
  readonly timeout: string | undefined;
  readonly nice: string | undefined;
  readonly shell: string | undefined;
  readonly env: string[] | undefined;
  readonly export: string | undefined;
}

/** The settings of a job that the options ask for. */
export function wishesOf(args: WishArgs): JobWishes {
  const { logfile, workdir, timeout, shell } = args;
  for (const key of CHECKED) check(key, args[key]);
  for (const key of ["logfile", "workdir"] as const) checkLine(key, args[key]);
  const env = { ...exported(args.export), ...assigned(args.env ?? []) };
  const wishes = {
    logfile,
    // the path is relative to the directory in which the command is typed, not to the directory in which a worker was hired
    workdir: workdir === undefined || workdir.startsWith("~") ? workdir : fromHere(workdir),
    priority: wholeNumber(args.priority),
    retries: wholeNumber(args.retries),
    timeout,
    nice: wholeNumber(args.nice),
    shell,
    ...(Object.keys(env).length > 0 && { env }),
  };
  return Object.fromEntries(Object.entries(wishes).filter(([, value]) => value !== undefined));
}

/** Refuses a bad value, and names its option. A later refusal would name a job file that the user never saw. */
function check(key: (typeof CHECKED)[number], text: string | undefined): void {
  if (text?.trim() === "") {
    throw new FjordError("bad-usage", `--${key}: the value is empty.`, `Give one, or leave --${key} out.`);
  }
  const wrong = text === undefined ? undefined : wrongIn(key, text);
  if (wrong !== undefined) throw new FjordError("bad-usage", `--${key}: ${wrong}.`);
}

function checkLine(option: string, text: string | undefined): void {
  if (!text?.includes("\n")) return;
  throw new FjordError("bad-usage", `--${option}: found ${quote(text)}.`, "Write a path of one line.");
}

function wholeNumber(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text); // `check` has refused other texts
}

function assigned(assignments: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    assignments.map((text) => {
      const at = text.indexOf("=");
      if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
      throw new FjordError("bad-usage", `--env: found ${quote(text)}.`, "Write --env NAME=VALUE.");
    }),
  );
}

function exported(names: string | undefined): Record<string, string> {
  return Object.fromEntries(
    (names ?? "")
      .split(",")
      .filter((name) => name !== "")
      .map((name) => {
        const value = process.env[name];
        if (value !== undefined) return [name, value];
        throw new FjordError(
          "bad-usage",
          `--export: ${quote(name)} is not set in this shell.`,
          `export ${name}=… first.`,
        );
      }),
  );
}
