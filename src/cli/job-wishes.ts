import path from "node:path";
import type { JobWishes } from "../compose/draft.js";
import { FjordError } from "../job/error.js";
import { wrongIn } from "../job/job-text.js";
import { quote } from "../job/quote.js";

const CHECKED = ["priority", "retries", "timeout", "nice"] as const;

export interface WishArgs {
  readonly logfile: string | undefined;
  readonly workdir: string | undefined;
  readonly priority: string | undefined;
  readonly retries: string | undefined;
  readonly timeout: string | undefined;
  readonly nice: string | undefined;
  readonly env: string[] | undefined;
  readonly export: string | undefined;
}

/** What the options ask of a job. */
export function wishesOf(args: WishArgs): JobWishes {
  const { logfile, workdir, timeout } = args;
  for (const key of CHECKED) check(key, args[key]);
  for (const key of ["logfile", "workdir"] as const) checkLine(key, args[key]);
  const env = { ...exported(args.export), ...assigned(args.env ?? []) };
  const wishes = {
    logfile,
    // Relative to where the command is typed, not to where a worker was hired.
    workdir: workdir === undefined || workdir.startsWith("~") ? workdir : path.resolve(workdir),
    priority: wholeNumber("priority", args.priority),
    retries: wholeNumber("retries", args.retries),
    timeout,
    nice: wholeNumber("nice", args.nice),
    ...(Object.keys(env).length > 0 && { env }),
  };
  return Object.fromEntries(Object.entries(wishes).filter(([, value]) => value !== undefined));
}

/** Told of the option, before a job file that nobody has written is refused. */
function check(key: (typeof CHECKED)[number], text: string | undefined): void {
  const wrong = text === undefined ? undefined : wrongIn(key, text);
  if (wrong !== undefined) throw new FjordError("bad-usage", `--${key}: ${wrong}.`);
}

function checkLine(option: string, text: string | undefined): void {
  if (!text?.includes("\n")) return;
  throw new FjordError("bad-usage", `--${option}: found ${quote(text)}.`, "Write a path of one line.");
}

function wholeNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (text !== "") return Number(text);
  throw new FjordError("bad-usage", `--${option}: found ${quote(text)}.`, "Write a whole number.");
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
