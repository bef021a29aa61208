import crypto from "node:crypto";
import path from "node:path";
import { type Draft, draftOfCommand, draftsOfFiles, type JobWishes } from "../../compose/draft.js";
import type { Project } from "../../compose/project.js";
import { FjordError } from "../../job/error.js";
import { quote, visible } from "../../job/quote.js";
import { EXIT, openExisting, openProject, say } from "../command.js";
import { exitCodeOf, tellEnds } from "../ends.js";
import { type Common, count, JSON_OPTION, printJson, some, type Verb } from "../verb.js";

interface Args extends Common {
  readonly files: string[];
  /** What stands behind `--`. */
  readonly behind: readonly string[];
  readonly name: string | undefined;
  readonly logfile: string | undefined;
  readonly workdir: string | undefined;
  readonly priority: string | undefined;
  readonly retries: string | undefined;
  readonly timeout: string | undefined;
  readonly nice: string | undefined;
  readonly env: string[] | undefined;
  readonly export: string | undefined;
  readonly replace: boolean;
  readonly wait: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** `fjord submit`: job files, folders of them, or a command. */
export const verb: Verb<Args> = {
  options: (y) =>
    y
      .positional("files", {
        type: "string",
        array: true,
        default: [] as string[],
        describe: "job files, and folders of them",
      })
      .option("name", { type: "string", requiresArg: true, describe: "the job's name" })
      .option("logfile", { type: "string", requiresArg: true, describe: "where its results go" })
      .option("workdir", {
        type: "string",
        requiresArg: true,
        describe: "where it runs [a command: here; a job file: as it says]",
      })
      .option("priority", { type: "string", requiresArg: true, describe: "higher goes first [0]" })
      .option("retries", { type: "string", requiresArg: true, describe: "how often to try again [0]" })
      .option("timeout", { type: "string", requiresArg: true, describe: "how long it may take: 90, 30m, 2h" })
      .option("nice", { type: "string", requiresArg: true, describe: "-20 to 19" })
      .option("env", {
        alias: "e",
        type: "string",
        array: true,
        requiresArg: true,
        nargs: 1,
        describe: "NAME=VALUE in its environment",
      })
      .option("export", {
        type: "string",
        requiresArg: true,
        describe: "NAME,NAME…: take these from this shell's environment",
      })
      .option("replace", {
        type: "boolean",
        default: false,
        describe: "take the place of a job of that name that is still in the queue",
      })
      .option("wait", {
        type: "boolean",
        default: false,
        describe: "until it has ended: 0 when it succeeded, 1 when not",
      })
      .option("dry-run", { type: "boolean", default: false, describe: "show the job files, submit nothing" })
      .option("json", JSON_OPTION)
      .example("fjord submit my-jobs/ extra.ini", "all job files of a folder, and one more")
      .example("fjord submit -- python train.py --lr 0.1", "a command, as it stands here")
      .example(
        "fjord submit --name plot --retries 2 --timeout 2h -- 'make && ./plot | gzip > p.gz'",
        "a shell line",
      ),

  async run(args) {
    const command = args.behind;
    if (command.length > 0 === args.files.length > 0) {
      throw new FjordError(
        "bad-usage",
        command.length > 0 ? "Either job files or a command." : "Nothing to submit.",
        "fjord submit JOBFILE…, or fjord submit -- COMMAND ARGUMENT…",
      );
    }
    const wishes = wishesOf(args);
    const drafts =
      command.length > 0
        ? [draftOfCommand(args.name ?? nameFor(command), command, { workdir: process.cwd(), ...wishes })]
        : draftsOfFiles(args.files, wishes, args.name);
    const project = args.dryRun ? await openIfThere(args) : await openProject(args);
    const { replace, dryRun } = args;
    const after = (await project?.submitDrafts(drafts, { replace, dryRun })) ?? [];
    const names = drafts.map(({ job }) => job);
    if (args.json) printJson(drafts.map(({ job, file, runs }) => ({ job, file, runs })));
    else if (args.dryRun) for (const draft of drafts) process.stdout.write(shown(draft));
    else {
      const what =
        drafts.length === 1 ? visible(names[0] ?? "") : `${count(names.length)}: ${some(names.map(visible))}`;
      say("fjord", `Submitted ${what}.`);
      if (command.length > 0) say("fjord", `Runs: ${visible(drafts[0]?.runs ?? "")}`);
      if (after.length > 0) {
        say("fjord", `On a worker's desk already, so that comes first: ${some(after.map(visible))}.`);
      }
    }
    if (!args.wait || args.dryRun || project === undefined) return EXIT.ok;
    const result = await project.wait(names);
    if (!args.json) await tellEnds(project, result);
    return exitCodeOf(result);
  },
};

/** A trial makes nothing: where there is no project yet, no job's name is taken. */
async function openIfThere(args: Args): Promise<Project | undefined> {
  try {
    return await openExisting(args);
  } catch (error) {
    if (error instanceof FjordError && error.code === "no-such-project") return undefined;
    throw error;
  }
}

function wishesOf(args: Args): JobWishes {
  const { logfile, workdir, timeout } = args;
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

function wholeNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[+-]?\d+$/.test(text)) return Number(text);
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

/** Short, and not another's: the program's name and some random letters. */
function nameFor(command: readonly string[]): string {
  const first = (command[0] ?? "").split(/\s/, 1)[0] ?? "";
  const stem =
    path
      .basename(first)
      .replace(/[^A-Za-z0-9_-]/g, "")
      .slice(0, 40) || "job";
  return `${stem}-${crypto.randomBytes(4).readUInt32BE(0).toString(36).padStart(7, "0").slice(-6)}`;
}

function shown({ file, content, mode }: Draft): string {
  const isText = (mode & 0o111) === 0;
  return `# ${visible(file)}\n${isText ? Buffer.from(content).toString("utf8") : "(a script)\n"}\n`;
}
