import { ARRAY_SECTIONS, type JobArray } from "./array.js";
import { FjordError } from "./error.js";
import { type Job, readJob } from "./job.js";
import { type ControlKeys, withControlKeys, withoutSections, withParams } from "./job-text.js";
import { checkName, jobName } from "./name.js";
import { endsOfRanges, parseNumber } from "./numbers.js";
import { ANY_CASE, type Notation, shellTemplate, type Template, textTemplate } from "./placeholder.js";
import { visible } from "./quote.js";
import type { Values } from "./sweep.js";

/** Name of an array's element: `A_17`. */
export function elementName(array: string, number: number): string {
  return `${array}_${number}`;
}

/** Splits a job's name into the name of an array and a number, as in `A_17`; undefined when the name has another form. */
export function elementOf(job: string): { readonly array: string; readonly number: number } | undefined {
  const at = job.lastIndexOf("_");
  const number = at > 0 ? parseNumber(job.slice(at + 1)) : undefined;
  return number === undefined ? undefined : { array: job.slice(0, at), number };
}

/** A job file that stands for an array. */
export type ArrayJob = Job & { readonly array: JobArray };

/**
 * Reason why an array's file is invalid; undefined when the file is valid. Only the first and the last element are checked,
 * because an array may have a million.
 */
export function problemOfArray(file: string, content: Uint8Array, job: ArrayJob): string | undefined {
  const elements = new Elements(file, content, job);
  return endsOfRanges(job.array.ranges)
    .map((number) => elements.problemOf(number))
    .find((problem) => problem !== undefined);
}

/** Keys of a job file that may hold placeholders. */
type VaryingKey = "executable" | "logfile" | "workdir";

/** Templates of the keys that hold placeholders. Values are quoted for the shell in the command, and not in the paths. */
export function templatesOf(
  { executable, logfile = "", workdir = "" }: Pick<Job, VaryingKey>,
  names: ReadonlySet<string>,
  notation?: Notation,
): ReadonlyMap<VaryingKey, Template> {
  const templates: [VaryingKey, Template][] = [
    ["executable", shellTemplate(executable, names, notation)],
    ["logfile", textTemplate(logfile, names, notation)],
    ["workdir", textTemplate(workdir, names, notation)],
  ];
  return new Map(templates.filter(([, template]) => template.isVaried));
}

/** The paths in a job file that say where its results go. */
export type Paths = Pick<Job, "logfile" | "workdir">;

/** Makes the job files of elements: the array's file with the values in the placeholders and in `[params]`. */
export class Elements {
  readonly #file: string;
  readonly #text: string;
  readonly #array: JobArray;
  readonly #paths: Paths;
  readonly #templates: ReadonlyMap<VaryingKey, Template>;

  /** @param content the array's job file, from which `job` was read */
  constructor(file: string, content: Uint8Array, job: ArrayJob) {
    const { array } = job;
    this.#file = file;
    this.#array = array;
    this.#paths = job;
    const text = withoutSections(Buffer.from(content).toString("utf8"), ARRAY_SECTIONS).replace(
      /(?:(\r?\n)\s*)+$/,
      "$1",
    );
    this.#text = job.after.length === 0 ? text : withControlKeys(file, text, { after: "" });
    this.#templates = templatesOf(job, array.names, ANY_CASE);
  }

  /**
   * An element's job file. The element has no `after`, because elements are made only when the array's dependencies have
   * ended. If a value makes the job invalid (a log file's name with several lines, say), the dispatcher refuses the file like
   * any other.
   */
  textOf(number: number): string {
    const values = this.#array.valuesOf(number);
    try {
      return withParams(this.#file, withControlKeys(this.#file, this.#text, this.#keysFor(values)), values);
    } catch (error) {
      if (!(error instanceof FjordError)) throw error;
      return `# ${visible(error.message)}\n[control]\nexecutable =\n`;
    }
  }

  /** Paths that say where an element's results go. */
  pathsOf(number: number): Paths {
    const { logfile, workdir } = this.#paths;
    const { logfile: filled = logfile, workdir: filledDir = workdir } = this.#keysFor(
      this.#array.valuesOf(number),
    );
    return { logfile: filled, workdir: filledDir };
  }

  /** Placeholders that the paths lack, and that they would need so that no two elements share a path. @see JobArray.needed */
  needed(textOf: (paths: Paths) => string): string[] {
    return this.#array.needed((number) => textOf(this.pathsOf(number)));
  }

  /** Reason why an element would be refused; undefined when it is a valid job. */
  problemOf(number: number): string | undefined {
    const problem = checkName(`${elementName(jobName(this.#file), number)}.ini`);
    if (problem !== undefined) return problem;
    const reading = readJob(this.#file, Buffer.from(this.textOf(number)), false);
    return reading.ok ? undefined : `element ${number}: ${reading.reason}`;
  }

  #keysFor(values: Values): ControlKeys {
    return Object.fromEntries([...this.#templates].map(([key, template]) => [key, template.fill(values)]));
  }
}
