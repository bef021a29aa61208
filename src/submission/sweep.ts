import { templatesOf } from "../job/element.js";
import { FjordError } from "../job/error.js";
import { jobName } from "../job/name.js";
import { DOLLARS, shellTemplate, textTemplate } from "../job/placeholder.js";
import { quote } from "../job/quote.js";
import { shellLineIn, shellWord } from "../job/shell-words.js";
import type { Sweep, Values } from "../job/sweep.js";
import { type Draft, draftOfCommand, draftOfSource, type JobWishes } from "./draft.js";
import { commandIn, filesOf, readSource, type Source } from "./source.js";

/** Command of a sweep, from which each element gets its own. */
export type SweptCommand =
  /** Words with placeholders in braces. */
  | { readonly kind: "words"; readonly words: readonly string[] }
  /** A shell command line as in fjd, with `$1`, `$2`. If the line has no such placeholders, the values are appended. */
  | { readonly kind: "fjd"; readonly line: string }
  /** The element's value `line` is the shell command line. */
  | { readonly kind: "line" };

/**
 * Makes a job for each element of a sweep: `NAME_1`, `NAME_2` …, or as the placeholders in `name` say. The section `[params]` of
 * each job has its values.
 *
 * @throws FjordError `bad-usage` for the first element that is not a valid job
 */
export function draftsOfCommandSweep(
  sweep: Sweep,
  command: SweptCommand,
  name: string,
  wishes: JobWishes,
): Draft[] {
  const wordsOf = commandTemplate(command, sweep);
  const wishesOf = wishesTemplate(wishes, sweep);
  return draftsOf(sweep, name, (values, job) =>
    draftOfCommand(job, wordsOf(values), wishesOf(values), values),
  );
}

/**
 * Makes a job for each pair of a job file and an element. A folder stands for the job files in it.
 *
 * @throws FjordError `job-refused`, `bad-usage`
 */
export function draftsOfFileSweep(
  sweep: Sweep,
  paths: readonly string[],
  wishes: JobWishes,
  name?: string,
): Draft[] {
  const sources = paths.flatMap(filesOf).map(readSource);
  if (name !== undefined && sources.length > 1) {
    throw new FjordError(
      "bad-usage",
      `--name names the jobs of one file, but these are ${sources.length} files.`,
    );
  }
  const drafts = sources.flatMap((source) => {
    if (commandIn(`${source.name}${source.ending}`, source).array !== undefined) {
      const what = `${source.name}${source.ending} has a section [sweep] or [array] already`;
      throw new FjordError(
        "bad-usage",
        `${what}.`,
        "Remove that section, or leave out --param and the like.",
      );
    }
    const wishesOf = wishesTemplate({ ...varyingIn(source, sweep), ...wishes }, sweep);
    return draftsOf(sweep, name ?? source.name, (values, job) =>
      draftOfSource(source, job, wishesOf(values), values),
    );
  });
  checkUnique(drafts);
  return drafts;
}

function draftsOf(sweep: Sweep, name: string, draft: (values: Values, job: string) => Draft): Draft[] {
  const base = jobName(name);
  const own = textTemplate(base, sweep.names);
  const drafts: Draft[] = [];
  for (let i = 0; i < sweep.count; i++) {
    const values = sweep.at(i);
    try {
      drafts.push(draft(values, own.isVaried ? own.fill(values) : `${base}_${i + 1}`));
    } catch (error) {
      if (!(error instanceof FjordError)) throw error;
      throw new FjordError(error.code, `Element ${i + 1}: ${error.message}`, error.hint, { cause: error });
    }
  }
  checkUnique(drafts);
  return drafts;
}

function checkUnique(drafts: readonly Draft[]): void {
  const names = new Set<string>();
  for (const { job } of drafts) {
    if (names.has(job)) {
      throw new FjordError(
        "bad-usage",
        `Two of the jobs would be called ${quote(job)}.`,
        "Put {index} into --name.",
      );
    }
    names.add(job);
  }
}

function commandTemplate(command: SweptCommand, { names }: Sweep): (values: Values) => string[] {
  switch (command.kind) {
    case "line":
      return (values) => [values.get("line") ?? ""];
    case "fjd": {
      const template = shellTemplate(command.line, names, DOLLARS);
      const params = [...names].filter((name) => name.startsWith("param"));
      return (values) => {
        const behind = params.flatMap((name) => values.get(name) ?? []).map(shellWord);
        return [template.isVaried ? template.fill(values) : [command.line, ...behind].join(" ")];
      };
    }
    case "words": {
      const line = shellLineIn(command.words);
      const templates =
        line === undefined
          ? command.words.map((word) => textTemplate(word, names))
          : [shellTemplate(line, names)];
      return (values) => templates.map((template) => template.fill(values));
    }
    default: {
      const unknown: never = command;
      throw new Error(`unknown command: ${JSON.stringify(unknown)}`);
    }
  }
}

/** Keys of a job file whose values have placeholders. */
function varyingIn(source: Source, { names }: Sweep): JobWishes {
  const job = commandIn(`${source.name}${source.ending}`, source);
  return Object.fromEntries([...templatesOf(job, names).keys()].map((key) => [key, job[key]]));
}

function wishesTemplate(wishes: JobWishes, { names }: Sweep): (values: Values) => JobWishes {
  const { executable, logfile, workdir, env } = wishes;
  const command = executable === undefined ? undefined : shellTemplate(executable, names);
  const results = logfile === undefined ? undefined : textTemplate(logfile, names);
  const directory = workdir === undefined ? undefined : textTemplate(workdir, names);
  const variables =
    env && Object.entries(env).map(([name, value]) => [name, textTemplate(value, names)] as const);
  return (values) => ({
    ...wishes,
    ...(command && { executable: command.fill(values) }),
    ...(results && { logfile: results.fill(values) }),
    ...(directory && { workdir: directory.fill(values) }),
    ...(variables && {
      env: Object.fromEntries(variables.map(([name, value]) => [name, value.fill(values)])),
    }),
  });
}
